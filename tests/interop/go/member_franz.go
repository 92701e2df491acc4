package main

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func (m member) franz(leaving <-chan struct{}) error {
	var held owned
	options := []kgo.Opt{
		kgo.SeedBrokers(m.bootstrap),
		kgo.ClientID(m.name),
		kgo.ConsumerGroup(m.group),
		kgo.ConsumeTopics(m.topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(),
		kgo.SessionTimeout(session),
		kgo.HeartbeatInterval(heartbeat),
		kgo.MetadataMaxAge(time.Second),
		kgo.MetadataMinAge(100 * time.Millisecond),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, taken map[string][]int32) {
			held.change(taken[m.topic], nil)
		}),
		kgo.OnPartitionsRevoked(func(_ context.Context, _ *kgo.Client, given map[string][]int32) {
			held.change(nil, given[m.topic])
		}),
		kgo.OnPartitionsLost(func(_ context.Context, _ *kgo.Client, lost map[string][]int32) {
			held.change(nil, lost[m.topic])
		}),
	}
	if m.instance != "" {
		options = append(options, kgo.InstanceID(m.instance))
	}
	switch m.variant {
	case "range":
		options = append(options, kgo.Balancers(kgo.RangeBalancer()))
	case "consumer":
		options = append(options, kgo.Balancers(kgo.RangeBalancer()), kgo.ServerSideBalancer())
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return err
	}
	defer client.Close()
	for {
		select {
		case <-leaving:
			client.AllowRebalance()
			return nil
		default:
		}
		m.franzPoll(client)
	}
}

// franzPoll lets no partition go between a poll and its commit.
func (m member) franzPoll(client *kgo.Client) {
	defer client.AllowRebalance()
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	records := client.PollFetches(ctx).Records()
	if len(records) == 0 {
		return
	}
	for _, one := range records {
		say("got", one.Partition, one.Offset, string(one.Value))
	}
	if err := client.CommitRecords(context.Background(), records...); err != nil {
		say("commit-failed", err)
		return
	}
	for _, one := range records {
		say("committed", one.Partition, one.Offset+1)
	}
}
