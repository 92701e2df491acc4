package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

type franzClient struct{ bootstrap string }

func (f franzClient) open(options ...kgo.Opt) (*kgo.Client, context.Context, func(), error) {
	opened, err := kgo.NewClient(append(options, kgo.SeedBrokers(f.bootstrap))...)
	if err != nil {
		return nil, nil, nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	return opened, ctx, func() { cancel(); opened.Close() }, nil
}

func (f franzClient) metadata(asked request) (answer, error) {
	opened, ctx, shut, err := f.open()
	if err != nil {
		return nil, err
	}
	defer shut()
	seen, err := kadm.NewClient(opened).Metadata(ctx, asked.Topic)
	if err != nil {
		return nil, err
	}
	return answer{"brokers": len(seen.Brokers), "partitions": len(seen.Topics[asked.Topic].Partitions)}, nil
}

func (f franzClient) create(asked request) (answer, error) {
	partitions, err := asked.partitionCount()
	if err != nil {
		return nil, err
	}
	opened, ctx, shut, err := f.open()
	if err != nil {
		return nil, err
	}
	defer shut()
	_, err = kadm.NewClient(opened).CreateTopic(ctx, partitions, 1, nil, asked.Topic)
	return nil, err
}

func (f franzClient) produce(asked request) (answer, error) {
	records, err := load(asked.File)
	if err != nil {
		return nil, err
	}
	return nil, f.send(asked, records)
}

func (f franzClient) oversize(asked request) (answer, error) {
	asked.Codec, asked.Acks = "none", "all"
	err := f.send(asked, []record{{value: make([]byte, asked.Size)}})
	var refusal *kerr.Error
	if errors.As(err, &refusal) {
		return answer{"refused": refusal.Message}, nil
	}
	return nil, fmt.Errorf("%d bytes were not refused by the broker: %v", asked.Size, err)
}

func (f franzClient) send(asked request, records []record) error {
	acks := map[string]kgo.Acks{"0": kgo.NoAck(), "1": kgo.LeaderAck(), "all": kgo.AllISRAcks()}[asked.Acks]
	codec := map[string]kgo.CompressionCodec{
		"none":   kgo.NoCompression(),
		"gzip":   kgo.GzipCompression(),
		"snappy": kgo.SnappyCompression(),
		"lz4":    kgo.Lz4Compression(),
		"zstd":   kgo.ZstdCompression(),
	}[asked.Codec]
	options := []kgo.Opt{
		kgo.RequiredAcks(acks),
		kgo.ProducerBatchCompression(codec),
		kgo.ProducerBatchMaxBytes(oversizeLimit),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerLinger(5 * time.Millisecond),
	}
	if !asked.Idempotent {
		options = append(options, kgo.DisableIdempotentWrite())
	}
	opened, ctx, shut, err := f.open(options...)
	if err != nil {
		return err
	}
	defer shut()
	batch := make([]*kgo.Record, len(records))
	for i, r := range records {
		batch[i] = &kgo.Record{Topic: asked.Topic, Partition: asked.Partition, Key: r.key, Value: r.value}
		for _, h := range r.headers {
			batch[i].Headers = append(batch[i].Headers, kgo.RecordHeader{Key: h.name, Value: h.value})
		}
		if r.timestamp != nil {
			batch[i].Timestamp = time.UnixMilli(*r.timestamp)
		}
	}
	return opened.ProduceSync(ctx, batch...).FirstErr()
}

func (f franzClient) consume(asked request) (answer, error) {
	partitions, err := asked.partitionList()
	if err != nil {
		return nil, err
	}
	at := kgo.NewOffset().AtStart()
	switch {
	case asked.Start.Offset != nil:
		at = kgo.NewOffset().At(*asked.Start.Offset)
	case asked.Start.Timestamp != nil:
		at = kgo.NewOffset().AfterMilli(*asked.Start.Timestamp)
	}
	places := map[int32]kgo.Offset{}
	for _, partition := range partitions {
		places[partition] = at
	}
	opened, ctx, shut, err := f.open(reading(asked.Topic, places)...)
	if err != nil {
		return nil, err
	}
	defer shut()
	rows, err := poll(ctx, opened, asked.Count)
	return answer{"records": rows}, err
}

// The end is looked up when the client starts to poll: it is known to have been once the fetch position is told.
func (f franzClient) latest(asked request) (answer, error) {
	records, err := load(asked.File)
	if err != nil {
		return nil, err
	}
	opened, ctx, shut, err := f.open()
	if err != nil {
		return nil, err
	}
	defer shut()
	ends, err := kadm.NewClient(opened).ListEndOffsets(ctx, asked.Topic)
	if err != nil {
		return nil, err
	}
	end := ends[asked.Topic][0].Offset
	resolved := make(chan struct{}, 1)
	places := map[int32]kgo.Offset{0: kgo.NewOffset().AtEnd()}
	consumer, _, shutConsumer, err := f.open(append(reading(asked.Topic, places), kgo.WithHooks(fetched{resolved}))...)
	if err != nil {
		return nil, err
	}
	defer shutConsumer()
	select {
	case <-resolved:
	case <-ctx.Done():
		return nil, errors.New("the consumer never fetched from the end")
	}
	asked.Codec, asked.Acks = "none", "all"
	if err := f.send(asked, records); err != nil {
		return nil, err
	}
	rows, err := poll(ctx, consumer, len(records))
	return answer{"end": end, "records": rows}, err
}

// fetched tells when a first Fetch was written: its offset is known by then.
type fetched struct{ once chan struct{} }

func (f fetched) OnBrokerWrite(_ kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, err error) {
	const fetch = 1
	if key == fetch && err == nil {
		select {
		case f.once <- struct{}{}:
		default:
		}
	}
}

func reading(topic string, places map[int32]kgo.Offset) []kgo.Opt {
	return []kgo.Opt{
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: places}),
		kgo.FetchMaxWait(50 * time.Millisecond),
	}
}

func poll(ctx context.Context, opened *kgo.Client, count int) ([]row, error) {
	rows := []row{}
	for len(rows) < count {
		fetches := opened.PollFetches(ctx)
		for _, failed := range fetches.Errors() {
			return nil, fmt.Errorf("after %d of %d records: %w", len(rows), count, failed.Err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			read := row{r.Partition, r.Offset, r.Timestamp.UnixMilli(), toHex(r.Key), toHex(r.Value), [][2]any{}}
			for _, h := range r.Headers {
				read.Headers = append(read.Headers, [2]any{h.Key, toHex(h.Value)})
			}
			rows = append(rows, read)
		})
	}
	return rows, nil
}
