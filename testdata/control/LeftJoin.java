import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.function.ToLongFunction;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerInterceptor;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.processor.TimestampExtractor;

/**
 * The join of views with engagements as a left join of Kafka Streams.
 *
 * <p>usage: LeftJoin DIR, where it keeps its state. It says "ready", and then does one job after another, so that its code stays compiled
 * between them. Each line of standard input is "start" with what the job is, as NAME=VALUE, or "stop"; the answer is "running" once all
 * tasks run, and "stopped". Names: brokers, name, views, engagements, samples, window_ms, grace_ms, threads. Standard input that ends
 * stops it all.
 */
public final class LeftJoin {
  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    KafkaStreams running = null;
    System.out.println("ready");
    for (String line; (line = in.readLine()) != null; ) {
      String[] words = line.split(" ");
      if (words[0].equals("start")) {
        Map<String, String> job = new HashMap<>();
        for (String word : Arrays.asList(words).subList(1, words.length)) {
          String[] parts = word.split("=", 2);
          job.put(parts[0], parts[1]);
        }
        running = start(job, args[0]);
      } else if (words[0].equals("stop") && running != null) {
        running.close();
        running.cleanUp();
        running = null;
        System.out.println("stopped");
      } else {
        throw new IllegalArgumentException(line);
      }
    }
    if (running != null) {
      running.close();
    }
  }

  private static KafkaStreams start(Map<String, String> job, String dir) {
    Properties p = new Properties();
    p.put(StreamsConfig.APPLICATION_ID_CONFIG, job.get("name"));
    p.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, job.get("brokers"));
    p.put(StreamsConfig.STATE_DIR_CONFIG, dir);
    p.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, job.get("threads"));
    p.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    p.put(StreamsConfig.producerPrefix(ProducerConfig.COMPRESSION_TYPE_CONFIG), "lz4");
    p.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.INTERCEPTOR_CLASSES_CONFIG), Keys.class.getName());
    KafkaStreams streams = new KafkaStreams(topology(job), p);
    streams.setStateListener(
        (now, before) -> {
          if (now == KafkaStreams.State.RUNNING) {
            System.out.println("running");
          }
        });
    streams.setUncaughtExceptionHandler(
        e -> {
          e.printStackTrace();
          Runtime.getRuntime().halt(1);
          return null;
        });
    streams.start();
    return streams;
  }

  private static Topology topology(Map<String, String> job) {
    Serde<byte[]> bytes = Serdes.ByteArray();
    StreamsBuilder builder = new StreamsBuilder();
    KStream<byte[], byte[]> views =
        builder.stream(job.get("views"), Consumed.with(bytes, bytes).withTimestampExtractor(at(LeftJoin::viewTime)));
    KStream<byte[], byte[]> engagements =
        builder.stream(job.get("engagements"), Consumed.with(bytes, bytes).withTimestampExtractor(at(LeftJoin::engagementTime)));
    // An engagement counts in [view, view + window), and both ends of its window count to Kafka Streams.
    JoinWindows window =
        JoinWindows.ofTimeDifferenceAndGrace(
                Duration.ofMillis(Long.parseLong(job.get("window_ms")) - 1), Duration.ofMillis(Long.parseLong(job.get("grace_ms"))))
            .before(Duration.ZERO);
    views
        .leftJoin(engagements, LeftJoin::sample, window, StreamJoined.with(bytes, bytes, bytes))
        .to(job.get("samples"), Produced.with(bytes, bytes));
    return builder.build();
  }

  /** The columns of the view, then the label. */
  private static byte[] sample(byte[] view, byte[] engagement) {
    byte[] out = Arrays.copyOf(view, view.length + 1);
    out[view.length] = (byte) (engagement == null ? 0 : 1);
    return out;
  }

  private static TimestampExtractor at(ToLongFunction<ByteBuffer> time) {
    return (record, before) -> time.applyAsLong(ByteBuffer.wrap((byte[]) record.value()));
  }

  private static long viewTime(ByteBuffer value) {
    skipText(value); // the id
    varint(value); // the user
    varint(value); // the post
    return varint(value);
  }

  private static long engagementTime(ByteBuffer value) {
    skipText(value); // the id
    skipText(value); // the kind
    return varint(value);
  }

  private static void skipText(ByteBuffer from) {
    int size = (int) varint(from);
    from.position(from.position() + size);
  }

  /** A long as Avro writes it. */
  private static long varint(ByteBuffer from) {
    long bits = 0;
    for (int shift = 0; ; shift += 7) {
      byte b = from.get();
      bits |= (long) (b & 0x7f) << shift;
      if (b >= 0) {
        return bits >>> 1 ^ -(bits & 1);
      }
    }
  }

  /**
   * Gives records their id as the key. They lie in partitions by their ids already, but have no keys, and a key that a topology gives a
   * stream costs it a topic in between: this is what topics with keys would cost.
   */
  public static final class Keys implements ConsumerInterceptor<byte[], byte[]> {
    @Override
    public ConsumerRecords<byte[], byte[]> onConsume(ConsumerRecords<byte[], byte[]> records) {
      Map<TopicPartition, List<ConsumerRecord<byte[], byte[]>>> keyed = new HashMap<>();
      for (TopicPartition partition : records.partitions()) {
        List<ConsumerRecord<byte[], byte[]>> list = new ArrayList<>();
        for (ConsumerRecord<byte[], byte[]> r : records.records(partition)) {
          ByteBuffer value = ByteBuffer.wrap(r.value());
          byte[] key = new byte[(int) varint(value)];
          value.get(key);
          list.add(
              new ConsumerRecord<>(
                  r.topic(), r.partition(), r.offset(), r.timestamp(), r.timestampType(), key.length, r.serializedValueSize(), key,
                  r.value(), r.headers(), r.leaderEpoch()));
        }
        keyed.put(partition, list);
      }
      return new ConsumerRecords<>(keyed, records.nextOffsets());
    }

    @Override
    public void onCommit(Map<TopicPartition, OffsetAndMetadata> offsets) {}

    @Override
    public void configure(Map<String, ?> settings) {}

    @Override
    public void close() {}
  }
}
