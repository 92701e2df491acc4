package main

import (
	"context"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

// What sarama tells of the member's sessions. Its claims run beside each other: the lock makes processing and commit one step.
type saramaMember struct {
	member
	held  owned
	lock  sync.Mutex
	admin sarama.ClusterAdmin
}

func (m member) sarama(leaving <-chan struct{}) error {
	config := sarama.NewConfig()
	config.Version = sarama.MaxVersion
	config.ClientID = m.name
	config.Metadata.RefreshFrequency = time.Second
	// sarama commits on the connection that it fetches on: a commit waits for the fetch before it.
	config.Consumer.MaxWaitTime = 20 * time.Millisecond
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Offsets.AutoCommit.Enable = false
	config.Consumer.Group.Session.Timeout = session
	config.Consumer.Group.Heartbeat.Interval = heartbeat
	config.Consumer.Group.InstanceId = m.instance
	if m.variant == "cooperative" {
		config.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{sarama.NewBalanceStrategyCooperativeSticky()}
	}
	admin, err := sarama.NewClusterAdmin([]string{m.bootstrap}, config)
	if err != nil {
		return err
	}
	defer admin.Close()
	group, err := sarama.NewConsumerGroup([]string{m.bootstrap}, m.group, config)
	if err != nil {
		return err
	}
	defer group.Close()
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-leaving
		cancel()
	}()
	handler := &saramaMember{member: m, admin: admin}
	for ctx.Err() == nil {
		if err := group.Consume(ctx, []string{m.topic}, handler); err != nil {
			say("commit-failed", "the session ended:", err)
		}
	}
	return nil
}

func (s *saramaMember) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (s *saramaMember) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (s *saramaMember) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	s.held.change([]int32{claim.Partition()}, nil)
	defer s.held.change(nil, []int32{claim.Partition()})
	for {
		select {
		case one, open := <-claim.Messages():
			if !open {
				return nil
			}
			s.process(session, claim, one)
		case <-session.Context().Done():
			return nil
		}
	}
}

func (s *saramaMember) process(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim, one *sarama.ConsumerMessage) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if session.Context().Err() != nil {
		return
	}
	for one != nil {
		say("got", one.Partition, one.Offset, string(one.Value))
		session.MarkMessage(one, "")
		select {
		case one = <-claim.Messages():
		default:
			one = nil
		}
	}
	session.Commit()
	s.sayCommitted(claim.Partition())
}

// sayCommitted asks the broker: Commit does not say whether it succeeded.
func (s *saramaMember) sayCommitted(partition int32) {
	held, err := s.admin.ListConsumerGroupOffsets(s.group, map[string][]int32{s.topic: {partition}})
	if err != nil {
		say("commit-failed", err)
		return
	}
	say("committed", partition, held.GetBlock(s.topic, partition).Offset)
}
