package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// newDetails serves the facts of one book.
func newDetails(*upstreams) http.Handler {
	routes := http.NewServeMux()
	routes.Handle("GET /health", healthy("Details"))
	routes.HandleFunc("GET /details/{id}", func(w http.ResponseWriter, r *http.Request) {
		id, err := strconv.Atoi(r.PathValue("id"))
		if err != nil {
			answer(w, http.StatusBadRequest, map[string]string{"error": "please provide numeric product id"})
			return
		}
		answer(w, http.StatusOK, map[string]any{
			"id": id, "author": "William Shakespeare", "year": 1595, "type": "paperback", "pages": 200,
			"publisher": "PublisherA", "language": "English", "ISBN-10": "1234567890", "ISBN-13": "123-1234567890",
		})
	})
	return routes
}

// ratings keeps the stars that were posted; its kinds of trouble are those of the real images ratings-v-*.
type ratings struct {
	mutex  sync.Mutex
	posted map[string]map[string]int
	calls  int
	begun  time.Time
	mode   string
}

func newRatings(*upstreams) http.Handler {
	store := &ratings{posted: map[string]map[string]int{}, begun: time.Now(), mode: os.Getenv("VERSION_OF_IMAGE")}
	routes := http.NewServeMux()
	routes.HandleFunc("GET /health", func(w http.ResponseWriter, r *http.Request) {
		if store.mode == "v-unhealthy" && store.toggled(15*time.Minute) {
			answer(w, http.StatusInternalServerError, map[string]string{"status": "Ratings is not healthy"})
			return
		}
		healthy("Ratings")(w, r)
	})
	routes.HandleFunc("GET /ratings/{id}", store.read)
	routes.HandleFunc("POST /ratings/{id}", store.write)
	return routes
}

// toggled is false in every first period and true in every second.
func (s *ratings) toggled(period time.Duration) bool {
	return time.Since(s.begun)/period%2 == 1
}

// failing applies the image's own trouble to one call and reports whether it fails.
func (s *ratings) failing() bool {
	s.mutex.Lock()
	s.calls++
	second := s.calls%2 == 0
	s.mutex.Unlock()
	switch s.mode {
	case "v-faulty":
		return second
	case "v-delayed":
		if second {
			time.Sleep(7 * time.Second)
		}
	case "v-unavailable":
		return s.toggled(time.Minute)
	}
	return false
}

func (s *ratings) read(w http.ResponseWriter, r *http.Request) {
	if s.failing() {
		answer(w, http.StatusServiceUnavailable, map[string]string{"error": "Service unavailable"})
		return
	}
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil {
		answer(w, http.StatusBadRequest, map[string]string{"error": "please provide numeric product ID"})
		return
	}
	s.mutex.Lock()
	stars := s.posted[r.PathValue("id")]
	s.mutex.Unlock()
	if stars == nil {
		stars = map[string]int{"Reviewer1": 5, "Reviewer2": 4}
	}
	answer(w, http.StatusOK, map[string]any{"id": id, "ratings": stars})
}

func (s *ratings) write(w http.ResponseWriter, r *http.Request) {
	stars := map[string]int{}
	if _, err := strconv.Atoi(r.PathValue("id")); err != nil || json.NewDecoder(r.Body).Decode(&stars) != nil {
		answer(w, http.StatusBadRequest, map[string]string{"error": "please provide a numeric product ID and valid ratings JSON"})
		return
	}
	s.mutex.Lock()
	s.posted[r.PathValue("id")] = stars
	s.mutex.Unlock()
	id, _ := strconv.Atoi(r.PathValue("id"))
	answer(w, http.StatusOK, map[string]any{"id": id, "ratings": stars})
}

// reviews is v1 without ratings, v2 with black stars and v3 with red ones.
type reviews struct {
	ratings *upstreams
	enabled bool
	color   string
	pod     string
}

// Black stars wait longer for the ratings service than red ones do.
var ratingsTimeout = map[string]time.Duration{"black": 10 * time.Second, "red": 2500 * time.Millisecond}

func newReviews(ratings *upstreams) http.Handler {
	byImage := map[string]string{"v2": "black", "v3": "red"}[os.Getenv("VERSION_OF_IMAGE")]
	service := reviews{ratings, byImage != "", or(os.Getenv("STAR_COLOR"), or(byImage, "black")), os.Getenv("POD_NAME")}
	if told := os.Getenv("ENABLE_RATINGS"); told != "" {
		service.enabled = told == "true"
	}
	routes := http.NewServeMux()
	routes.Handle("GET /health", healthy("Reviews"))
	routes.HandleFunc("GET /reviews/{id}", service.read)
	return routes
}

var texts = []string{
	"A merry muddle from the first page to the last; nobody in it knows who anybody is.",
	"Pleasant and quick, though it has less to say than the plays that came after it.",
}

func (s reviews) read(w http.ResponseWriter, r *http.Request) {
	if _, err := strconv.Atoi(r.PathValue("id")); err != nil {
		answer(w, http.StatusBadRequest, map[string]string{"error": "please provide numeric product ID"})
		return
	}
	stars, failed := s.stars(r)
	written := make([]map[string]any, len(texts))
	for i, text := range texts {
		reviewer := fmt.Sprintf("Reviewer%d", i+1)
		written[i] = map[string]any{"reviewer": reviewer, "text": text}
		if failed {
			written[i]["rating"] = map[string]string{"error": "Ratings service is currently unavailable"}
		} else if s.enabled {
			written[i]["rating"] = map[string]any{"stars": stars[reviewer], "color": s.color}
		}
	}
	answer(w, http.StatusOK, map[string]any{"id": r.PathValue("id"), "podname": s.pod, "clustername": "null", "reviews": written})
}

// stars asks the ratings service; a failure shows in the reviews and never in the status of the answer.
func (s reviews) stars(r *http.Request) (stars map[string]int, failed bool) {
	if !s.enabled {
		return nil, false
	}
	response, err := s.ratings.get(r, "ratings", "/ratings/"+r.PathValue("id"), ratingsTimeout[strings.ToLower(s.color)])
	if err != nil {
		return nil, true
	}
	defer response.Body.Close()
	document := struct {
		Ratings map[string]int `json:"ratings"`
	}{}
	if response.StatusCode != http.StatusOK || json.NewDecoder(response.Body).Decode(&document) != nil {
		return nil, true
	}
	return document.Ratings, false
}
