package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"
)

type saramaClient struct{ bootstrap string }

func (s saramaClient) config() *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.MaxVersion
	config.Consumer.MaxWaitTime = 50 * time.Millisecond
	config.Consumer.Return.Errors = true
	return config
}

func (s saramaClient) metadata(asked request) (answer, error) {
	opened, err := sarama.NewClient([]string{s.bootstrap}, s.config())
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	partitions, err := opened.Partitions(asked.Topic)
	return answer{"brokers": len(opened.Brokers()), "partitions": len(partitions)}, err
}

func (s saramaClient) create(asked request) (answer, error) {
	partitions, err := asked.partitionCount()
	if err != nil {
		return nil, err
	}
	admin, err := sarama.NewClusterAdmin([]string{s.bootstrap}, s.config())
	if err != nil {
		return nil, err
	}
	defer admin.Close()
	return nil, admin.CreateTopic(asked.Topic, &sarama.TopicDetail{NumPartitions: partitions, ReplicationFactor: 1}, false)
}

func (s saramaClient) produce(asked request) (answer, error) {
	records, err := load(asked.File)
	if err != nil {
		return nil, err
	}
	return nil, s.send(asked, records)
}

func (s saramaClient) oversize(asked request) (answer, error) {
	asked.Codec, asked.Acks = "none", "all"
	err := s.send(asked, []record{{value: make([]byte, asked.Size)}})
	var failed sarama.ProducerErrors
	if errors.As(err, &failed) {
		err = failed[0].Err
	}
	if errors.Is(err, sarama.ErrMessageSizeTooLarge) {
		return answer{"refused": "ErrMessageSizeTooLarge"}, nil
	}
	return nil, fmt.Errorf("%d bytes were not refused by the broker: %v", asked.Size, err)
}

func (s saramaClient) send(asked request, records []record) error {
	config := s.config()
	config.Producer.RequiredAcks = map[string]sarama.RequiredAcks{
		"0": sarama.NoResponse, "1": sarama.WaitForLocal, "all": sarama.WaitForAll,
	}[asked.Acks]
	config.Producer.Compression = map[string]sarama.CompressionCodec{
		"none":   sarama.CompressionNone,
		"gzip":   sarama.CompressionGZIP,
		"snappy": sarama.CompressionSnappy,
		"lz4":    sarama.CompressionLZ4,
		"zstd":   sarama.CompressionZSTD,
	}[asked.Codec]
	config.Producer.Idempotent = asked.Idempotent
	config.Net.MaxOpenRequests = 1
	config.Producer.MaxMessageBytes = oversizeLimit
	config.Producer.Partitioner = sarama.NewManualPartitioner
	config.Producer.Flush.Frequency = 5 * time.Millisecond
	config.Producer.Return.Successes = true
	producer, err := sarama.NewSyncProducer([]string{s.bootstrap}, config)
	if err != nil {
		return err
	}
	defer producer.Close()
	batch := make([]*sarama.ProducerMessage, len(records))
	for i, r := range records {
		batch[i] = &sarama.ProducerMessage{Topic: asked.Topic, Partition: asked.Partition}
		if r.key != nil {
			batch[i].Key = sarama.ByteEncoder(r.key)
		}
		if r.value != nil {
			batch[i].Value = sarama.ByteEncoder(r.value)
		}
		for _, h := range r.headers {
			batch[i].Headers = append(batch[i].Headers, sarama.RecordHeader{Key: []byte(h.name), Value: h.value})
		}
		if r.timestamp != nil {
			batch[i].Timestamp = time.UnixMilli(*r.timestamp)
		}
	}
	return producer.SendMessages(batch)
}

func (s saramaClient) consume(asked request) (answer, error) {
	partitions, err := asked.partitionList()
	if err != nil {
		return nil, err
	}
	opened, err := sarama.NewClient([]string{s.bootstrap}, s.config())
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	messages, shut, err := s.open(opened, asked.Topic, partitions, func(partition int32) (int64, error) {
		switch {
		case asked.Start.Offset != nil:
			return *asked.Start.Offset, nil
		case asked.Start.Timestamp != nil:
			return opened.GetOffset(asked.Topic, partition, *asked.Start.Timestamp)
		}
		return sarama.OffsetOldest, nil
	})
	if err != nil {
		return nil, err
	}
	defer shut()
	rows, err := take(messages, asked.Count)
	return answer{"records": rows}, err
}

func (s saramaClient) latest(asked request) (answer, error) {
	records, err := load(asked.File)
	if err != nil {
		return nil, err
	}
	opened, err := sarama.NewClient([]string{s.bootstrap}, s.config())
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	end, err := opened.GetOffset(asked.Topic, 0, sarama.OffsetNewest)
	if err != nil {
		return nil, err
	}
	newest := func(int32) (int64, error) { return sarama.OffsetNewest, nil }
	messages, shut, err := s.open(opened, asked.Topic, []int32{0}, newest)
	if err != nil {
		return nil, err
	}
	defer shut()
	asked.Codec, asked.Acks = "none", "all"
	if err := s.send(asked, records); err != nil {
		return nil, err
	}
	rows, err := take(messages, len(records))
	return answer{"end": end, "records": rows}, err
}

// open starts one partition consumer per partition; sarama has resolved each start when ConsumePartition returns.
func (s saramaClient) open(
	opened sarama.Client, topic string, partitions []int32, at func(int32) (int64, error),
) (<-chan *sarama.ConsumerMessage, func(), error) {
	consumer, err := sarama.NewConsumerFromClient(opened)
	if err != nil {
		return nil, nil, err
	}
	messages := make(chan *sarama.ConsumerMessage)
	stop := make(chan struct{})
	shut := func() { close(stop); consumer.Close() }
	var reading []sarama.PartitionConsumer
	for _, partition := range partitions {
		offset, err := at(partition)
		if err != nil {
			shut()
			return nil, nil, err
		}
		one, err := consumer.ConsumePartition(topic, partition, offset)
		if err != nil {
			shut()
			return nil, nil, err
		}
		reading = append(reading, one)
		go forward(one, messages, stop)
	}
	return messages, func() {
		close(stop)
		for _, one := range reading {
			one.AsyncClose()
		}
		consumer.Close()
	}, nil
}

func forward(from sarama.PartitionConsumer, to chan<- *sarama.ConsumerMessage, stop <-chan struct{}) {
	for message := range from.Messages() {
		select {
		case to <- message:
		case <-stop:
		}
	}
}

func take(messages <-chan *sarama.ConsumerMessage, count int) ([]row, error) {
	late := time.After(deadline)
	rows := []row{}
	for len(rows) < count {
		select {
		case m := <-messages:
			read := row{m.Partition, m.Offset, m.Timestamp.UnixMilli(), toHex(m.Key), toHex(m.Value), [][2]any{}}
			for _, h := range m.Headers {
				read.Headers = append(read.Headers, [2]any{string(h.Key), toHex(h.Value)})
			}
			rows = append(rows, read)
		case <-late:
			return nil, fmt.Errorf("%d of %d records within %s", len(rows), count, deadline)
		}
	}
	return rows, nil
}
