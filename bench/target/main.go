// The bench's target: answers every request at once, so that it is never what is measured.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"sync/atomic"
)

func main() {
	address := flag.String("listen", "127.0.0.1:0", "address to listen on")
	flag.Parse()
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		log.Fatal(err)
	}
	body := []byte("ok\n")
	var answered atomic.Int64
	log.Fatal(http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Date"] = nil
		if r.URL.Path == "/answered" {
			fmt.Fprint(w, answered.Load())
			return
		}
		answered.Add(1)
		_, _ = w.Write(body)
	})))
}
