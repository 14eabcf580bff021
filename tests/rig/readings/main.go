// Says how kube-apiserver reads the body of a server-side apply (k8s.io/apiserver, endpoints/handlers/patch.go:
// application/apply-patch+yaml is given to Unmarshal of k8s.io/apimachinery/pkg/util/yaml).
package main

import (
	"bufio"
	"encoding/json"
	"os"

	"k8s.io/apimachinery/pkg/util/yaml"
)

type answer struct {
	Object  map[string]any `json:"object,omitempty"`
	Refused string         `json:"refused,omitempty"`
}

func read(body string) answer {
	object := map[string]any{}
	if err := yaml.Unmarshal([]byte(body), &object); err != nil {
		return answer{Refused: err.Error()}
	}
	return answer{Object: object}
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var body string
		if err := json.Unmarshal(lines.Bytes(), &body); err != nil {
			panic(err)
		}
		if err := out.Encode(read(body)); err != nil {
			panic(err)
		}
	}
}
