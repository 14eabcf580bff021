package main

import (
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

const (
	productTitle   = "The Comedy of Errors"
	backendTimeout = 3 * time.Second
	reviewAttempts = 2 // the real page tries reviews twice, which doubles the requests while they fail
)

// productpage is the page that people look at, and the only service behind the gateway.
type productpage struct {
	backends *upstreams
	mutex    sync.Mutex
	results  map[[2]string]int // backend and code -> answers
}

func newProductpage(backends *upstreams) http.Handler {
	page := &productpage{backends: backends, results: map[[2]string]int{}}
	routes := http.NewServeMux()
	routes.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "Product page is healthy") })
	routes.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { page.render(w, r) })
	routes.HandleFunc("GET /index.html", func(w http.ResponseWriter, r *http.Request) { page.render(w, r) })
	routes.HandleFunc("GET /productpage", page.render)
	routes.HandleFunc("POST /login", login)
	routes.HandleFunc("GET /logout", logout)
	routes.HandleFunc("GET /metrics", page.metrics)
	routes.HandleFunc("GET /api/v1/products", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, []map[string]any{{"id": 0, "title": productTitle, "descriptionHtml": "Two pairs of twins, one town."}})
	})
	routes.HandleFunc("GET /api/v1/products/{id}", page.relay("details", "/details/"))
	routes.HandleFunc("GET /api/v1/products/{id}/reviews", page.relay("reviews", "/reviews/"))
	routes.HandleFunc("GET /api/v1/products/{id}/ratings", page.relay("ratings", "/ratings/"))
	return withUser(routes)
}

// withUser turns the session of a logged-in person into the header that routes can match on.
func withUser(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if session, err := r.Cookie("session"); err == nil && session.Value != "" {
			r.Header.Set("End-User", session.Value)
		}
		next.ServeHTTP(w, r)
	})
}

func login(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{Name: "session", Value: r.FormValue("username"), Path: "/", HttpOnly: true})
	http.Redirect(w, r, or(r.Referer(), "/productpage"), http.StatusFound)
}

func logout(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{Name: "session", Path: "/", MaxAge: -1})
	http.Redirect(w, r, or(r.Referer(), "/productpage"), http.StatusFound)
}

// ask returns a backend's status and document; one that did not answer is 500 with the words people read.
func (p *productpage) ask(r *http.Request, service, path string) (code int, document map[string]any) {
	attempts := 1
	if service == "reviews" {
		attempts = reviewAttempts
	}
	code = http.StatusInternalServerError
	for range attempts {
		response, err := p.backends.get(r, service, path, backendTimeout)
		if err != nil {
			code = http.StatusInternalServerError
			continue
		}
		code = response.StatusCode
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err == nil && code == http.StatusOK && json.Unmarshal(body, &document) == nil {
			break
		}
	}
	p.count(service, code)
	if document == nil {
		document = map[string]any{"error": fmt.Sprintf("Sorry, product %s are currently unavailable for this book.", service)}
	}
	return code, document
}

func (p *productpage) count(service string, code int) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.results[[2]string{service, strconv.Itoa(code)}]++
}

func (p *productpage) relay(service, prefix string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		code, document := p.ask(r, service, prefix+r.PathValue("id"))
		answer(w, code, document)
	}
}

func (p *productpage) metrics(w http.ResponseWriter, _ *http.Request) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	fmt.Fprintln(w, "# TYPE request_result_total counter")
	for key, count := range p.results {
		fmt.Fprintf(w, "request_result_total{destination_app=%q,response_code=%q} %d\n", key[0], key[1], count)
	}
}

// The page answers 200 whatever its backends do: their failure is a sentence in it.
func (p *productpage) render(w http.ResponseWriter, r *http.Request) {
	_, details := p.ask(r, "details", "/details/0")
	_, written := p.ask(r, "reviews", "/reviews/0")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = page.Execute(w, map[string]any{"title": productTitle, "user": r.Header.Get("End-User"), "details": details, "reviews": written})
}

var page = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Simple Bookstore App</title></head><body>
<h1>{{.title}}</h1>{{with .user}}<p>Signed in as {{.}}</p>{{end}}
<h2>Book Details</h2>
{{if .details.error}}<p>{{.details.error}}</p>{{else}}<p>{{.details.author}}, {{.details.year}}, {{.details.pages}} pages</p>{{end}}
<h2>Book Reviews</h2>
{{if .reviews.error}}<p>{{.reviews.error}}</p>{{else}}{{range .reviews.reviews}}
<blockquote>{{.text}} <cite>{{.reviewer}}</cite>{{with .rating}}
{{if .error}}<i>{{.error}}</i>{{else}}<font color="{{.color}}">{{.stars}} of 5 stars</font>{{end}}{{end}}</blockquote>{{end}}
<p>Reviews served by: <u>{{.reviews.podname}}</u></p>{{end}}
</body></html>
`))
