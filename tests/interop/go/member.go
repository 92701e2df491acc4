package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	session   = 6 * time.Second
	heartbeat = 500 * time.Millisecond
)

// One member of a group: member CLIENT VARIANT BOOTSTRAP GROUP TOPIC NAME [INSTANCE]; python/member.py has the words it says.
type member struct{ variant, bootstrap, group, topic, name, instance string }

func runMember(arguments []string) {
	m := member{arguments[1], arguments[2], arguments[3], arguments[4], arguments[5], ""}
	if len(arguments) > 6 {
		m.instance = arguments[6]
	}
	leaving := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(leaving)
	}()
	var err error
	switch arguments[0] {
	case "franz-go":
		err = m.franz(leaving)
	case "sarama":
		err = m.sarama(leaving)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	say("left")
}

// The partitions of a member, which are given to it and taken from it.
type owned struct {
	lock       sync.Mutex
	partitions []int32
}

func (o *owned) change(taken, given []int32) {
	o.lock.Lock()
	defer o.lock.Unlock()
	o.partitions = slices.DeleteFunc(o.partitions, func(one int32) bool { return slices.Contains(given, one) })
	o.partitions = append(o.partitions, taken...)
	sayAssigned(o.partitions)
}

func sayAssigned(partitions []int32) {
	words := make([]string, len(partitions))
	for i, one := range partitions {
		words[i] = strconv.Itoa(int(one))
	}
	say("assigned", strings.Join(words, ","))
}

// A line is one write: who is killed in the middle leaves no half of it.
func say(words ...any) {
	_, _ = os.Stdout.WriteString(strings.ReplaceAll(strings.TrimSuffix(fmt.Sprintln(words...), "\n"), "\n", " ") + "\n")
}
