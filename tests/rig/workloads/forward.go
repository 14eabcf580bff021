package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
)

// runForwards copies bytes between listening sockets that were opened outside the network namespace and addresses
// inside it: a socket stays in the namespace where it was made, so no process has to change its own.
//
// Each argument is FD=ADDRESS.
func runForwards(arguments []string) error {
	for _, argument := range arguments {
		number, target, _ := strings.Cut(argument, "=")
		descriptor, err := strconv.Atoi(number)
		if err != nil || target == "" {
			return fmt.Errorf("%q is not FD=ADDRESS", argument)
		}
		listener, err := net.FileListener(os.NewFile(uintptr(descriptor), target))
		if err != nil {
			return err
		}
		go forward(listener, target)
	}
	select {}
}

func forward(listener net.Listener, target string) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		go join(client, target)
	}
}

func join(client net.Conn, target string) {
	defer client.Close()
	server, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer server.Close()
	var both sync.WaitGroup
	both.Go(func() { pipe(server, client) })
	both.Go(func() { pipe(client, server) })
	both.Wait()
}

// pipe copies one direction and passes on its end, so that half-closed connections stay half-closed.
func pipe(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}
