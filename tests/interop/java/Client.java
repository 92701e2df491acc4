import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Apache Kafka's own client behind the command loop of the interop tests: one JSON request per line in, one JSON
 * answer per line out; driver.py documents the operations. Compiles against kafka-clients 3.9 and 4.4 alike.
 */
public final class Client {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final HexFormat HEX = HexFormat.of();
    private static final Duration DEADLINE = Duration.ofSeconds(20);
    /** What the client's own limits are raised to, so that it is the broker that refuses. */
    private static final int OVERSIZE_LIMIT = 8 << 20;

    private final String bootstrap;

    private Client(String bootstrap) {
        this.bootstrap = bootstrap;
    }

    public static void main(String[] arguments) throws Exception {
        Client client = new Client(arguments[0]);
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, "UTF-8"));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            System.out.println(JSON.writeValueAsString(client.answer(JSON.readTree(line))));
        }
    }

    private ObjectNode answer(JsonNode request) {
        ObjectNode answer = JSON.createObjectNode();
        try {
            perform(request, answer);
        } catch (Throwable failure) {
            Throwable cause = failure instanceof ExecutionException ? failure.getCause() : failure;
            answer.removeAll();
            answer.put("error", cause.getClass().getSimpleName()).put("message", String.valueOf(cause.getMessage()));
        }
        return answer;
    }

    private void perform(JsonNode request, ObjectNode answer) throws Exception {
        switch (request.get("op").asText()) {
            case "metadata" -> metadata(request, answer);
            case "create" -> create(request);
            case "produce" -> produce(request);
            case "oversize" -> oversize(request, answer);
            case "consume" -> consume(request, answer);
            case "latest" -> latest(request, answer);
            default -> throw new IllegalArgumentException("no such operation: " + request);
        }
    }

    private void metadata(JsonNode request, ObjectNode answer) throws Exception {
        String topic = request.get("topic").asText();
        try (Admin admin = admin()) {
            answer.put("brokers", admin.describeCluster().nodes().get().size());
            answer.put(
                "partitions",
                admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size());
        }
    }

    private void create(JsonNode request) throws Exception {
        NewTopic topic = new NewTopic(request.get("topic").asText(), request.get("partitions").asInt(), (short) 1);
        try (Admin admin = admin()) {
            admin.createTopics(List.of(topic)).all().get();
        }
    }

    private void produce(JsonNode request) throws Exception {
        String acks = request.get("acks").asText();
        boolean idempotent = request.get("idempotent").asBoolean();
        try (KafkaProducer<byte[], byte[]> producer = producer(request.get("codec").asText(), acks, idempotent)) {
            List<ProducerRecord<byte[], byte[]>> records =
                load(request.get("topic").asText(), request.get("partition").asInt(), request.get("file").asText());
            send(producer, records);
        }
    }

    private void oversize(JsonNode request, ObjectNode answer) throws Exception {
        int size = request.get("size").asInt();
        try (KafkaProducer<byte[], byte[]> producer = producer("none", "all", false)) {
            send(producer, List.of(new ProducerRecord<>(request.get("topic").asText(), 0, null, new byte[size])));
        } catch (ExecutionException refusal) {
            if (refusal.getCause() instanceof ApiException cause) {
                answer.put("refused", cause.getClass().getSimpleName());
                return;
            }
            throw refusal;
        }
        throw new IllegalStateException(size + " bytes were accepted");
    }

    private void consume(JsonNode request, ObjectNode answer) {
        List<TopicPartition> places = new ArrayList<>();
        for (JsonNode partition : request.get("partitions")) {
            places.add(new TopicPartition(request.get("topic").asText(), partition.asInt()));
        }
        try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
            consumer.assign(places);
            seek(consumer, places, request.get("start"));
            read(consumer, request.get("count").asInt(), answer);
        }
    }

    private void latest(JsonNode request, ObjectNode answer) throws Exception {
        TopicPartition place = new TopicPartition(request.get("topic").asText(), 0);
        List<ProducerRecord<byte[], byte[]>> records = load(place.topic(), 0, request.get("file").asText());
        try (KafkaConsumer<byte[], byte[]> consumer = consumer();
                KafkaProducer<byte[], byte[]> producer = producer("none", "all", false)) {
            consumer.assign(List.of(place));
            consumer.seekToEnd(List.of(place));
            answer.put("end", consumer.position(place));
            send(producer, records);
            read(consumer, records.size(), answer);
        }
    }

    private static void send(
            KafkaProducer<byte[], byte[]> producer, List<ProducerRecord<byte[], byte[]>> records) throws Exception {
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (ProducerRecord<byte[], byte[]> record : records) {
            sent.add(producer.send(record));
        }
        for (Future<RecordMetadata> one : sent) {
            one.get(DEADLINE.toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    private static void seek(KafkaConsumer<byte[], byte[]> consumer, List<TopicPartition> places, JsonNode start) {
        if (start.isTextual()) {
            consumer.seekToBeginning(places);
            return;
        }
        for (TopicPartition place : places) {
            long offset = start.has("offset")
                ? start.get("offset").asLong()
                : consumer.offsetsForTimes(Map.of(place, start.get("timestamp").asLong())).get(place).offset();
            consumer.seek(place, offset);
        }
    }

    private static void read(KafkaConsumer<byte[], byte[]> consumer, int count, ObjectNode answer) {
        ArrayNode rows = answer.putArray("records");
        long end = System.nanoTime() + DEADLINE.toNanos();
        while (rows.size() < count) {
            if (System.nanoTime() > end) {
                throw new IllegalStateException(rows.size() + " of " + count + " records within " + DEADLINE);
            }
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
                ObjectNode row = rows.addObject();
                row.put("partition", record.partition()).put("offset", record.offset());
                row.put("timestamp", record.timestamp());
                row.put("key", toHex(record.key())).put("value", toHex(record.value()));
                ArrayNode headers = row.putArray("headers");
                for (Header header : record.headers()) {
                    headers.addArray().add(header.key()).add(toHex(header.value()));
                }
            }
        }
    }

    private static List<ProducerRecord<byte[], byte[]>> load(String topic, int partition, String file)
            throws Exception {
        List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
        for (JsonNode one : JSON.readTree(new File(file))) {
            Long timestamp = one.hasNonNull("timestamp") ? one.get("timestamp").asLong() : null;
            ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(
                topic, partition, timestamp, unhex(one.get("key")), unhex(one.get("value")));
            for (JsonNode header : one.get("headers")) {
                record.headers().add(header.get(0).asText(), unhex(header.get(1)));
            }
            records.add(record);
        }
        return records;
    }

    private static byte[] unhex(JsonNode text) {
        return text.isNull() ? null : HEX.parseHex(text.asText());
    }

    private static String toHex(byte[] data) {
        return data == null ? null : HEX.formatHex(data);
    }

    private Admin admin() {
        return Admin.create(settings());
    }

    private KafkaProducer<byte[], byte[]> producer(String codec, String acks, boolean idempotent) {
        Properties settings = settings();
        settings.put("compression.type", codec);
        settings.put("acks", acks);
        settings.put("enable.idempotence", String.valueOf(idempotent));
        settings.put("max.request.size", String.valueOf(OVERSIZE_LIMIT));
        return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    }

    private KafkaConsumer<byte[], byte[]> consumer() {
        Properties settings = settings();
        settings.put("fetch.max.wait.ms", "50");
        settings.put("enable.auto.commit", "false");
        return new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    private Properties settings() {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", bootstrap);
        settings.put("default.api.timeout.ms", String.valueOf(DEADLINE.toMillis()));
        settings.put("request.timeout.ms", "10000");
        return settings;
    }
}
