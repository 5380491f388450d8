// Command peers lets Heroku's own encoder and scanner of Logplex frames
// (github.com/heroku/x/logplex/encoding) talk to the drain and its parser.
//
//	peers encode -count N            prints bodies of router lines, and what is in them
//	peers send -url URL -count N     posts the same bodies to a drain, as Logplex does
//	peers scan [-structured] < body  prints what Heroku's scanner finds in a body
package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
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
	FrameID    string    `json:"frame_id"`
	DrainToken string    `json:"drain_token"`
	Body       []byte    `json:"body"` // base64 in JSON
	Messages   []message `json:"messages"`
	HTTPStatus int       `json:"http_status,omitempty"`
}

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	if len(args) == 0 {
		return errors.New("encode, send or scan?")
	}
	flags := flag.NewFlagSet(args[0], flag.ExitOnError)
	count := flags.Int("count", 50, "router lines")
	target := flags.String("url", "", "the drain, as heroku drains:add takes it: http://USER:PASSWORD@HOST/logs")
	token := flags.String("token", "d.9c5bd7a5-0f3c-4b2e-8f4b-0d5b6f1f9a11", "drain token")
	structured := flags.Bool("structured", false, "the messages have STRUCTURED-DATA")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	switch args[0] {
	case "encode":
		bodies, err := encode(*count, *token)
		if err != nil {
			return err
		}
		return json.NewEncoder(out).Encode(bodies)
	case "send":
		bodies, err := encode(*count, *token)
		if err != nil {
			return err
		}
		if err := send(*target, bodies); err != nil {
			return err
		}
		return json.NewEncoder(out).Encode(bodies)
	case "scan":
		return scan(in, out, *structured)
	}
	return fmt.Errorf("%q is no command: encode, send or scan", args[0])
}

// encode makes count router lines and encodes them by Heroku's encoder.
func encode(count int, token string) ([]*body, error) {
	var bodies []*body
	began := time.Now().UTC().Truncate(time.Microsecond)
	for i := range count {
		if i%messagesPerBody == 0 {
			bodies = append(bodies, &body{FrameID: rand.Text(), DrainToken: token})
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

// send posts each body with the headers of Logplex (heroku/logplex, logplex_http_drain.erl).
func send(target string, bodies []*body) error {
	drain, err := url.Parse(target)
	if err != nil || drain.Host == "" {
		return errors.New("-url is no URL") // without the error's text, which holds the password
	}
	user := drain.User
	drain.User = nil
	client := &http.Client{Timeout: 5 * time.Second}
	for _, sent := range bodies {
		request, err := http.NewRequest(http.MethodPost, drain.String(), bytes.NewReader(sent.Body))
		if err != nil {
			return err
		}
		if password, known := user.Password(); known {
			request.SetBasicAuth(user.Username(), password)
		}
		request.Header.Set("Content-Type", "application/logplex-1")
		request.Header.Set("Logplex-Msg-Count", strconv.Itoa(len(sent.Messages)))
		request.Header.Set("Logplex-Frame-Id", sent.FrameID)
		request.Header.Set("Logplex-Drain-Token", sent.DrainToken)
		request.Header.Set("User-Agent", "Logplex/v72")
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		sent.HTTPStatus = response.StatusCode
	}
	return nil
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
