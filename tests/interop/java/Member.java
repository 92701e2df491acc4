import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Properties;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;

/** One member of a group: Member VARIANT BOOTSTRAP GROUP TOPIC NAME [INSTANCE]; python/member.py has the words it says. */
public final class Member implements ConsumerRebalanceListener {
    private static final int SESSION_MS = 6000, HEARTBEAT_MS = 500;
    private static volatile boolean leaving;

    private final TreeSet<Integer> owned = new TreeSet<>();

    public static void main(String[] arguments) {
        Thread leave = new Thread(Member::waitForTheEnd);
        leave.setDaemon(true);
        leave.start();
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(properties(arguments))) {
            consumer.subscribe(List.of(arguments[3]), new Member());
            while (!leaving) {
                process(consumer, consumer.poll(Duration.ofMillis(200)));
            }
        }
        say("left");
    }

    private static Properties properties(String[] arguments) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", arguments[1]);
        properties.put("group.id", arguments[2]);
        properties.put("client.id", arguments[4]);
        if (arguments.length > 5) {
            properties.put("group.instance.id", arguments[5]);
        }
        properties.put("key.deserializer", StringDeserializer.class);
        properties.put("value.deserializer", StringDeserializer.class);
        properties.put("auto.offset.reset", "earliest");
        properties.put("enable.auto.commit", false);
        properties.put("metadata.max.age.ms", 1000);
        if (arguments[0].equals("consumer")) {
            // The broker says how long a session is and how often to send heartbeats.
            properties.put("group.protocol", "consumer");
        } else {
            properties.put("session.timeout.ms", SESSION_MS);
            properties.put("heartbeat.interval.ms", HEARTBEAT_MS);
        }
        if (arguments[0].equals("cooperative")) {
            properties.put("partition.assignment.strategy", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor");
        }
        return properties;
    }

    private static void process(KafkaConsumer<String, String> consumer, ConsumerRecords<String, String> records) {
        if (records.isEmpty()) {
            return;
        }
        for (ConsumerRecord<String, String> record : records) {
            say("got " + record.partition() + " " + record.offset() + " " + record.value());
        }
        try {
            consumer.commitSync();
            say("committed");
        } catch (KafkaException failure) {
            say("commit-failed " + failure.toString().replace('\n', ' '));
        }
    }

    @Override
    public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
        partitions.forEach(one -> owned.add(one.partition()));
        sayOwned();
    }

    @Override
    public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
        partitions.forEach(one -> owned.remove(one.partition()));
        sayOwned();
    }

    private void sayOwned() {
        say("assigned " + owned.stream().map(String::valueOf).collect(Collectors.joining(",")));
    }

    /** A line is one write: who is killed in the middle leaves no half of it. */
    private static void say(String line) {
        byte[] bytes = (line + "\n").getBytes(StandardCharsets.UTF_8);
        System.out.write(bytes, 0, bytes.length);
        System.out.flush();
    }

    private static void waitForTheEnd() {
        try {
            while (System.in.read() >= 0) {}
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
        leaving = true;
    }
}
