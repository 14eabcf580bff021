// Command workloads is everything of the rig that handles requests: the four Bookinfo services, the wrapper around a
// sidecar or gateway proxy, the forwards that lead into the rig's network namespace, the load generator and the certificates.
package main

import (
	"fmt"
	"os"
	"strings"
)

var programs = map[string]func(arguments []string) error{
	"productpage":  func([]string) error { return serve(newProductpage) },
	"details":      func([]string) error { return serve(newDetails) },
	"ratings":      func([]string) error { return serve(newRatings) },
	"reviews":      func([]string) error { return serve(newReviews) },
	"proxy":        runProxy,
	"forward":      runForwards,
	"load":         runLoad,
	"certificates": runCertificates,
}

func main() {
	if len(os.Args) < 2 || programs[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: workloads productpage|details|ratings|reviews|proxy|forward|load|certificates [arguments]")
		os.Exit(2)
	}
	if err := programs[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintf(os.Stderr, "workloads %s: %v\n", strings.Join(os.Args[1:], " "), err)
		os.Exit(1)
	}
}
