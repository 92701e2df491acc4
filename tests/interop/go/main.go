// Two Kafka clients in Go behind the command loop of the interop tests, or as a member of a group: franz-go and sarama.
//
// One JSON request per line in, one JSON answer per line out; driver.py documents the operations.
package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"time"
)

const (
	deadline = 20 * time.Second
	// What a client's own limits are raised to, so that it is the broker that refuses.
	oversizeLimit = 8 << 20
)

type header struct {
	name  string
	value []byte
}

// A record as the files hold it: null is nil, and empty is not nil.
type record struct {
	key, value []byte
	headers    []header
	timestamp  *int64
}

type row struct {
	Partition int32    `json:"partition"`
	Offset    int64    `json:"offset"`
	Timestamp int64    `json:"timestamp"`
	Key       *string  `json:"key"`
	Value     *string  `json:"value"`
	Headers   [][2]any `json:"headers"`
}

// Where a consumer starts.
type start struct {
	earliest  bool
	Offset    *int64
	Timestamp *int64
}

func (s *start) UnmarshalJSON(text []byte) error {
	if string(text) == `"earliest"` {
		s.earliest = true
		return nil
	}
	type plain start
	return json.Unmarshal(text, (*plain)(s))
}

type request struct {
	Op         string
	Topic      string
	Partition  int32
	Partitions json.RawMessage
	Codec      string
	Acks       string
	Idempotent bool
	File       string
	Start      start
	Count      int
	Size       int
}

func (r request) partitionCount() (count int32, err error) {
	err = json.Unmarshal(r.Partitions, &count)
	return count, err
}

func (r request) partitionList() (list []int32, err error) {
	err = json.Unmarshal(r.Partitions, &list)
	return list, err
}

type answer map[string]any

type client interface {
	metadata(request) (answer, error)
	create(request) (answer, error)
	produce(request) (answer, error)
	oversize(request) (answer, error)
	consume(request) (answer, error)
	latest(request) (answer, error)
}

func main() {
	if os.Args[1] == "member" {
		runMember(os.Args[2:])
		return
	}
	var served client
	switch os.Args[1] {
	case "franz-go":
		served = franzClient{os.Args[2]}
	case "sarama":
		served = saramaClient{os.Args[2]}
	}
	lines := bufio.NewScanner(os.Stdin)
	answers := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var asked request
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			panic(err)
		}
		given, err := perform(served, asked)
		if err != nil {
			given = answer{"error": fmt.Sprintf("%T", err), "message": err.Error()}
		}
		if given == nil {
			given = answer{}
		}
		if err := answers.Encode(given); err != nil {
			panic(err)
		}
	}
}

func perform(served client, asked request) (answer, error) {
	switch asked.Op {
	case "metadata":
		return served.metadata(asked)
	case "create":
		return served.create(asked)
	case "produce":
		return served.produce(asked)
	case "oversize":
		return served.oversize(asked)
	case "consume":
		return served.consume(asked)
	case "latest":
		return served.latest(asked)
	}
	return nil, fmt.Errorf("no operation is called %q", asked.Op)
}

func load(file string) ([]record, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var raw []struct {
		Key, Value *string
		Headers    [][]*string
		Timestamp  *int64
	}
	if err := json.Unmarshal(text, &raw); err != nil {
		return nil, err
	}
	records := make([]record, len(raw))
	for i, r := range raw {
		records[i] = record{key: unhex(r.Key), value: unhex(r.Value), timestamp: r.Timestamp}
		for _, h := range r.Headers {
			records[i].headers = append(records[i].headers, header{*h[0], unhex(h[1])})
		}
	}
	return records, nil
}

func unhex(text *string) []byte {
	if text == nil {
		return nil
	}
	data, err := hex.DecodeString(*text)
	if err != nil {
		panic(err)
	}
	return data
}

func toHex(data []byte) *string {
	if data == nil {
		return nil
	}
	text := hex.EncodeToString(data)
	return &text
}
