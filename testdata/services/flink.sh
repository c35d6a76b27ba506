#!/usr/bin/env bash
# Apache Flink, a session cluster of one JobManager and one TaskManager, with Beam's portable job server before it.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

NAME=flink VERSION=1.19.3 BEAM=2.62.0 PORTS=6 # REST, job server, artifacts, expansion, RPC, blobs
TASKMANAGER_HEAP=${FLINK_HEAP:-1664m} SLOTS=${FLINK_SLOTS:-4}
LIBS=$CACHE/flink-$VERSION
BEAM_LIBS=$CACHE/beam-flink-1.19-$BEAM

service_install() {
  need curl
  python_files "$LIBS" "apache-flink-libraries==$VERSION" pyflink/lib
  # The cluster has Flink's own jars already; the rest of the runner goes on its class path, so that
  # a submission stages nothing and starts in seconds.
  EXCLUDE=org.apache.flink maven_libs "$BEAM_LIBS" "org.apache.beam:beam-runners-flink-1.19:$BEAM"
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
state:
  backend: {type: rocksdb, incremental: true}
  checkpoints: {dir: "file://$DATA/checkpoints"}
  savepoints: {dir: "file://$DATA/savepoints"}
execution: {checkpointing: {storage: filesystem, tolerable-failed-checkpoints: 5}}
metrics: {fetcher: {update-interval: 1000}}
heartbeat: {interval: 2000, timeout: 10000}
restart-strategy: {type: fixed-delay, fixed-delay: {attempts: 100, delay: 1 s}}
EOF
  cat >"$DATA/conf/log4j.properties" <<'EOF'
rootLogger.level = INFO
rootLogger.appenderRef.console.ref = console
appender.console.name = console
appender.console.type = CONSOLE
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss,SSS} %-5p %c{1} - %m%n
EOF
  # A jar that only points at others: the job server would otherwise stage its whole class path with each job.
  python3 - "$DATA/classpath.jar" "$BEAM_LIBS"/*.jar "$LIBS"/*.jar <<'EOF'
import sys, zipfile
text = "Class-Path: " + " ".join("file:" + jar for jar in sys.argv[2:])
lines = [text[:70]] + [" " + text[i:i + 69] for i in range(70, len(text), 69)]
with zipfile.ZipFile(sys.argv[1], "w") as jar:
    jar.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n" + "\n".join(lines) + "\n")
EOF
}

service_command() {
  local java=(java "-Dlog4j.configurationFile=$DATA/conf/log4j.properties") package
  for package in sun.net.util sun.nio.ch java.{lang,net,io,nio,text,time,util} java.lang.reflect \
    java.util.concurrent{,.atomic,.locks}; do
    java+=("--add-opens=java.base/$package=ALL-UNNAMED")
  done
  local cluster="-cp $LIBS/*:$BEAM_LIBS/* org.apache.flink.runtime"
  local server="-cp $DATA/classpath.jar org.apache.beam.runners.flink.FlinkJobServerDriver --job-host=127.0.0.1"
  server+=" --job-port=${PORT[1]} --artifact-port=${PORT[2]} --expansion-port=${PORT[3]}"
  server+=" --flink-master=127.0.0.1:${PORT[0]} --artifacts-dir=$DATA/artifacts"
  # One group of three processes; it ends when any of them does. Each TaskManager restart is a new process here:
  # its pid is in taskmanager.pid, so that a test can kill it and see the job recover.
  # shellcheck disable=SC2016 # expanded by the inner shell
  CMD=(bash -c '
    set -f
    data=$1 java=$2 cluster=$3 server=$4
    $java -Xmx1g $cluster.entrypoint.StandaloneSessionClusterEntrypoint --configDir "$data/conf" >"$data/jobmanager.log" 2>&1 &
    while :; do
      $java -Xmx'"$TASKMANAGER_HEAP"' -XX:MaxDirectMemorySize=512m $cluster.taskexecutor.TaskManagerRunner --configDir "$data/conf" >>"$data/taskmanager.log" 2>&1 &
      echo $! >"$data/taskmanager.pid"
      wait $!
    done &
    $java -Xmx768m $server >"$data/jobserver.log" 2>&1 &
    wait -n' _ "$DATA" "${java[*]}" "$cluster" "$server")
}

service_ready() {
  curl -sf "http://127.0.0.1:${PORT[0]}/overview" 2>/dev/null | grep -q '"taskmanagers":[1-9]' && listening "${PORT[1]}"
}

service_address() { echo "rest=127.0.0.1:${PORT[0]} jobserver=127.0.0.1:${PORT[1]}"; }

main "$@"
