import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.table.api.TableResult;

/**
 * Submits the statements of a SQL file to a Flink session cluster, as Flink's SQL client would.
 *
 * <p>usage: RunSQL FILE HOST:PORT JARS, where JARS are URLs with a semicolon between. For each
 * INSERT it prints "job ID" once Flink has it, and waits for its end.
 */
public final class RunSQL {
  private static final Pattern SET = Pattern.compile("SET\\s+'([^']+)'\\s*=\\s*'([^']*)'");
  private static final Pattern END_OF_STATEMENT = Pattern.compile(";\\s*(\\n|$)");

  public static void main(String[] args) throws Exception {
    String text = Files.readString(Path.of(args[0]));
    TableEnvironment environment = connect(args[1], args[2]);
    for (String statement : END_OF_STATEMENT.split(text)) {
      run(environment, statement.strip());
    }
  }

  private static TableEnvironment connect(String address, String jars) {
    int colon = address.lastIndexOf(':');
    Configuration configuration = new Configuration();
    configuration.setString("execution.target", "remote");
    configuration.setString("rest.address", address.substring(0, colon));
    configuration.setString("rest.port", address.substring(colon + 1));
    configuration.setString("pipeline.jars", jars);
    return TableEnvironment.create(
        EnvironmentSettings.newInstance().withConfiguration(configuration).build());
  }

  private static void run(TableEnvironment environment, String statement) throws Exception {
    var set = SET.matcher(statement);
    if (statement.isEmpty()) {
      return;
    }
    if (set.matches()) {
      environment.getConfig().set(set.group(1), set.group(2));
      return;
    }
    TableResult result = environment.executeSql(statement);
    if (statement.startsWith("INSERT")) {
      System.out.println("job " + result.getJobClient().orElseThrow().getJobID());
      result.await();
    }
  }
}
