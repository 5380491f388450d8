// Command peers lets Heroku's own encoder and scanner of Logplex frames
// (github.com/heroku/x/logplex/encoding) talk to the drain and its parser. It does without net/http, because that
// takes half a minute to compile: the tests post its bodies.
//
//	peers encode -count N            prints bodies of router lines, and what is in them
//	peers scan [-structured] < body  prints what Heroku's scanner finds in a body
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/heroku/x/logplex/encoding"
)

// A body of Logplex aims at 102,400 bytes: about as many router lines.
const messagesPerBody = 300

// message is one router line: as syslog, and what its text says.
type message struct {
	Prival    int    `json:"prival"`
	Version   int    `json:"version"`
	Timestamp string `json:"timestamp"`
	Hostname  string `json:"hostname"`
	AppName   string `json:"app_name"`
	Procid    string `json:"procid"`
	Msg       string `json:"msg"`
	Method    string `json:"method"`
	Path      string `json:"path"`
	Status    int    `json:"status"`
	ConnectMs int    `json:"connect_ms"`
	ServiceMs int    `json:"service_ms"`
}

type body struct {
	Body     []byte    `json:"body"` // base64 in JSON
	Messages []message `json:"messages"`
}

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	if len(args) == 0 {
		return errors.New("encode or scan?")
	}
	flags := flag.NewFlagSet(args[0], flag.ExitOnError)
	count := flags.Int("count", 50, "router lines")
	structured := flags.Bool("structured", false, "the messages have STRUCTURED-DATA")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	switch args[0] {
	case "encode":
		bodies, err := encode(*count)
		if err != nil {
			return err
		}
		return json.NewEncoder(out).Encode(bodies)
	case "scan":
		return scan(in, out, *structured)
	}
	return fmt.Errorf("%q is no command: encode or scan", args[0])
}

// encode makes count router lines and encodes them by Heroku's encoder.
func encode(count int) ([]*body, error) {
	var bodies []*body
	began := time.Now().UTC().Truncate(time.Microsecond)
	for i := range count {
		if i%messagesPerBody == 0 {
			bodies = append(bodies, &body{})
		}
		last := bodies[len(bodies)-1]
		sent := routerLine(i, began.Add(time.Duration(i)*time.Millisecond))
		frame, err := encoding.Encode(encoding.Message{
			Timestamp:   began.Add(time.Duration(i) * time.Millisecond),
			Hostname:    sent.Hostname,
			Application: sent.AppName,
			Process:     sent.Procid,
			Message:     sent.Msg,
			Version:     uint16(sent.Version),
			Priority:    uint8(sent.Prival),
		})
		if err != nil {
			return nil, err
		}
		last.Body = append(last.Body, frame...)
		last.Messages = append(last.Messages, sent)
	}
	return bodies, nil
}

func routerLine(i int, at time.Time) message {
	methods := []string{"GET", "GET", "GET", "POST", "HEAD"}
	paths := []string{"/peer", "/peer/alpha", "/peer/beta?q=a%20b&n=1", "/peer/größe"}
	statuses := []int{200, 200, 302, 404, 500}
	sent := message{
		Prival:    158,
		Version:   1,
		Timestamp: at.Format(encoding.SyslogTimeFormat),
		Hostname:  "host",
		AppName:   "heroku",
		Procid:    "router",
		Method:    methods[i%len(methods)],
		Path:      paths[i%len(paths)],
		Status:    statuses[i%len(statuses)],
		ConnectMs: i % 4,
		ServiceMs: 5 + i*7%90,
	}
	sent.Msg = fmt.Sprintf(
		"at=info method=%s path=%q host=peer.example.com request_id=peer-%024d fwd=\"192.0.2.1\" "+
			"dyno=web.%d connect=%dms service=%dms status=%d bytes=%d protocol=https\n",
		sent.Method, sent.Path, i, 1+i%3, sent.ConnectMs, sent.ServiceMs, sent.Status, 100+i,
	)
	return sent
}

// scanned is a message as Heroku's scanner gives it.
type scanned struct {
	Prival    int       `json:"prival"`
	Version   int       `json:"version"`
	Timestamp time.Time `json:"timestamp"`
	Hostname  string    `json:"hostname"`
	AppName   string    `json:"app_name"`
	Procid    string    `json:"procid"`
	Msgid     string    `json:"msgid"`
	Msg       []byte    `json:"msg"` // base64 in JSON
}

// scan prints one JSON object a message, and an error, if one ends it, as {"error": ...}.
func scan(in io.Reader, out io.Writer, structured bool) error {
	// The scanner's own limit of 10,240 bytes a message is not what is compared here.
	options := []encoding.ScannerOption{encoding.WithBuffer(64<<10, 16<<20), encoding.RFCCompliant(structured)}
	scanner := encoding.NewScanner(in, options...)
	printer := json.NewEncoder(out)
	for scanner.Scan() {
		found := scanner.Message()
		err := printer.Encode(scanned{
			int(found.Priority), int(found.Version), found.Timestamp.UTC(), found.Hostname,
			found.Application, found.Process, found.ID, []byte(found.Message),
		})
		if err != nil {
			return err
		}
	}
	if err := scanner.Err(); err != nil {
		return printer.Encode(map[string]string{"error": err.Error()})
	}
	return nil
}
