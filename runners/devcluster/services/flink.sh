#!/usr/bin/env bash
# Apache Flink, a session cluster of one JobManager and one TaskManager, with Beam's portable job server before it. With
# FLINK_HA=1 when the data directory is new, a ZooKeeper too: a JobManager that was killed then takes up its jobs again. With
# FLINK_TASKMANAGERS=2 there are two, as on two machines: for the second one localhost is 127.0.0.2, so that each has the worker
# of a job at localhost to itself.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

NAME=flink VERSION=1.19.3 BEAM=2.62.0 PORTS=7 # REST, job server, artifacts, expansion, RPC, blobs, ZooKeeper
TASKMANAGER_HEAP=${FLINK_HEAP:-1664m} SLOTS=${FLINK_SLOTS:-4} TASKMANAGERS=${FLINK_TASKMANAGERS:-1}
LIBS=$CACHE/flink-$VERSION
BEAM_LIBS=$CACHE/beam-flink-1.19-$BEAM

service_install() {
  need curl javac
  python_files "$LIBS" e5741744ddeb6eeabc6f3d8f4ac4b6665b615a6d3aadaf2dc0f59ee4fb63fa23 "apache-flink-libraries==$VERSION" pyflink/lib
  # The cluster has Flink's own jars already; the rest of the runner goes on its class path, so that
  # nothing has to be uploaded with a job.
  EXCLUDE=org.apache.flink maven_libs "$BEAM_LIBS" 3df8aca9a810c6e6c758b2dec44c35cddb91b852cbb26b0322cfd210000cec41 \
    "org.apache.beam:beam-runners-flink-1.19:$BEAM"
}

service_prepare() {
  mkdir -p "$DATA"/{conf,checkpoints,savepoints,artifacts,tmp}
  cat >"$DATA/conf/config.yaml" <<EOF
jobmanager:
  bind-host: 127.0.0.1
  rpc: {address: 127.0.0.1, port: ${PORT[4]}}
  memory: {process: {size: 1600m}}
taskmanager:
  bind-host: 127.0.0.1
  host: 127.0.0.1
  numberOfTaskSlots: $SLOTS
  cpu: {cores: 2.0}
  memory:
    framework: {heap: {size: 128m}, off-heap: {size: 128m}}
    task: {heap: {size: 1536m}, off-heap: {size: 0m}}
    managed: {size: 768m}
    network: {min: 128m, max: 128m}
    jvm-metaspace: {size: 256m}
    jvm-overhead: {min: 192m, max: 192m}
rest: {address: 127.0.0.1, bind-address: 127.0.0.1, port: ${PORT[0]}}
blob: {server: {port: ${PORT[5]}}}
io: {tmp: {dirs: $DATA/tmp}}
# What a job keeps are blocks of 64 KiB, compressed already, written once and deleted together some minutes later. Each of its 20 column
# families for a stage takes an eighth of a write buffer at once: of the usual 64 MB more than a slot has, and RocksDB would flush and
# compact all the time. Timers are few, and need no families on the heap. Blocks go to the network as they are made: no thread flushes.
state:
  backend:
    type: rocksdb
    incremental: true
    rocksdb:
      writebuffer: {size: 8mb}
      compaction: {style: UNIVERSAL}
      compression: {per: {level: NO_COMPRESSION}}
      timer-service: {factory: HEAP}
  checkpoints: {dir: "file://$DATA/checkpoints"}
  savepoints: {dir: "file://$DATA/savepoints"}
execution: {buffer-timeout: {interval: 0 ms}, checkpointing: {storage: filesystem, tolerable-failed-checkpoints: 5}}
metrics: {fetcher: {update-interval: 1000}}
heartbeat: {interval: 2000, timeout: 10000}
cluster: {evenly-spread-out-slots: true}
restart-strategy: {type: fixed-delay, fixed-delay: {attempts: 100, delay: 1 s}}
EOF
  [[ -z ${FLINK_HA:-} ]] || prepare_ha
  cat >"$DATA/conf/log4j.properties" <<'EOF'
rootLogger.level = INFO
rootLogger.appenderRef.console.ref = console
appender.console.name = console
appender.console.type = CONSOLE
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss,SSS} %-5p %c{1} - %m%n
EOF
}

# The ZooKeeper that Flink brings along keeps which job is whose; the jobs themselves are files.
prepare_ha() {
  mkdir -p "$DATA"/{ha,zookeeper}
  cat >>"$DATA/conf/config.yaml" <<EOF
high-availability:
  type: zookeeper
  storageDir: "file://$DATA/ha"
  jobmanager: {port: ${PORT[4]}}
  zookeeper: {quorum: "127.0.0.1:${PORT[6]}", client: {session-timeout: 10000, connection-timeout: 5000}}
EOF
  cat >"$DATA/conf/zookeeper.properties" <<EOF
dataDir=$DATA/zookeeper
clientPort=${PORT[6]}
clientPortAddress=127.0.0.1
tickTime=500
maxSessionTimeout=20000
admin.enableServer=false
EOF
}

# Beam uploads with each job whatever the job server's class loader says that it loads from: 290 MB that the cluster has on its
# class path, too. This one does not say. Folders of jars, the main class and its arguments are what it takes.
write_jobserver() {
  cat >"$DATA/JobServer.java" <<'EOF'
import java.net.*;
import java.nio.file.*;
import java.util.*;

class JobServer {
  public static void main(String[] args) throws Exception {
    var jars = new TreeSet<Path>();
    for (var folder : args[0].split(":"))
      try (var files = Files.newDirectoryStream(Path.of(folder), "*.jar")) {
        files.forEach(jars::add);
      }
    var urls = new ArrayList<URL>();
    for (var jar : jars) urls.add(jar.toUri().toURL());
    var loader = new URLClassLoader(urls.toArray(URL[]::new)) {
      @Override public URL[] getURLs() { return new URL[0]; }
    };
    Thread.currentThread().setContextClassLoader(loader);
    var main = loader.loadClass(args[1]).getMethod("main", String[].class);
    main.invoke(null, (Object) Arrays.copyOfRange(args, 2, args.length));
  }
}
EOF
}

service_command() {
  write_jobserver
  local java=(java "-Dlog4j.configurationFile=$DATA/conf/log4j.properties" "-Djava.io.tmpdir=$DATA/tmp") package
  for package in sun.net.util sun.nio.ch java.{lang,net,io,nio,text,time,util} java.lang.reflect \
    java.util.concurrent{,.atomic,.locks}; do
    java+=("--add-opens=java.base/$package=ALL-UNNAMED")
  done
  local cluster="-cp $LIBS/*:$BEAM_LIBS/* org.apache.flink.runtime"
  # A class path that is empty would be the current folder.
  local server="-cp $DATA/none $DATA/JobServer.java $BEAM_LIBS:$LIBS org.apache.beam.runners.flink.FlinkJobServerDriver --job-host=127.0.0.1"
  server+=" --job-port=${PORT[1]} --artifact-port=${PORT[2]} --expansion-port=${PORT[3]}"
  server+=" --flink-master=127.0.0.1:${PORT[0]} --artifacts-dir=$DATA/artifacts --flink-conf-dir=$DATA/conf"
  local zookeeper=org.apache.flink.shaded.zookeeper3.org.apache.zookeeper.server.ZooKeeperServerMain ha=
  [[ ! -e $DATA/conf/zookeeper.properties ]] || ha="-Xmx64m -cp $LIBS/* $zookeeper $DATA/conf/zookeeper.properties"
  printf '%s\n' "127.0.0.2 localhost" "127.0.0.1 $(uname -n)" >"$DATA/hosts2"
  # One group of processes, each kept by a supervisor: one that is killed is started again at once, as a new process whose
  # pid is in NAME.pid, so that a test can kill it and see the job recover. One that cannot start ends the group.
  # shellcheck disable=SC2016 # expanded by the inner shell
  CMD=(bash -c '
    set -f
    data=$1 java=$2 cluster=$3 server=$4 ha=$5 taskmanagers=$6
    keep() { # NAME ARGUMENT...
      local name=$1 begun status
      shift
      : >"$data/$name.log"
      while begun=$SECONDS; do
        $java "$@" >>"$data/$name.log" 2>&1 &
        echo $! >"$data/$name.pid"
        wait $!
        status=$?
        ((status > 128 || SECONDS - begun > 9)) || return "$status"
      done
    }
    if [[ $ha ]]; then keep zookeeper $ha & fi
    keep jobmanager -Xmx1g $cluster.entrypoint.StandaloneSessionClusterEntrypoint --configDir "$data/conf" &
    taskmanager="-Xmx'"$TASKMANAGER_HEAP"' -XX:MaxDirectMemorySize=512m $cluster.taskexecutor.TaskManagerRunner --configDir $data/conf"
    keep taskmanager $taskmanager &
    if ((taskmanagers > 1)); then keep taskmanager2 -Djdk.net.hosts.file="$data/hosts2" $taskmanager & fi
    keep jobserver -Xmx768m $server &
    wait -n' _ "$DATA" "${java[*]}" "$cluster" "$server" "$ha" "$TASKMANAGERS")
}

service_ready() {
  curl -sf "http://127.0.0.1:${PORT[0]}/overview" 2>/dev/null | grep -q "\"taskmanagers\":[$TASKMANAGERS-9],.*\"slots-total\":[1-9]" && listening "${PORT[1]}"
}

service_address() { echo "rest=127.0.0.1:${PORT[0]} jobserver=127.0.0.1:${PORT[1]}"; }

main "$@"
