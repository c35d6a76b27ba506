SET 'pipeline.name' = 'control';
SET 'execution.runtime-mode' = 'streaming';
SET 'parallelism.default' = '${PARALLELISM}';
SET 'state.backend.type' = '${BACKEND}';
SET 'execution.checkpointing.interval' = '${CHECKPOINT}';
SET 'pipeline.object-reuse' = 'true';

CREATE TABLE `views` (
  view_id STRING NOT NULL,
  user_id BIGINT NOT NULL,
  post_id BIGINT NOT NULL,
  ts TIMESTAMP(3) NOT NULL,
  surface STRING NOT NULL,
  pos INT NOT NULL,
  features ARRAY<FLOAT NOT NULL> NOT NULL,
  WATERMARK FOR ts AS ts - INTERVAL '${OUT_OF_ORDERNESS}' DAY TO SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = '${VIEWS}',
  'properties.bootstrap.servers' = '${BROKERS}',
  'scan.startup.mode' = 'earliest-offset',
  ${VIEWS_END}
  'format' = 'avro'
);

CREATE TABLE engagements (
  view_id STRING NOT NULL,
  kind STRING NOT NULL,
  ts TIMESTAMP(3) NOT NULL,
  amount DOUBLE NOT NULL,
  WATERMARK FOR ts AS ts - INTERVAL '${OUT_OF_ORDERNESS}' DAY TO SECOND
) WITH (
  'connector' = 'kafka',
  'topic' = '${ENGAGEMENTS}',
  'properties.bootstrap.servers' = '${BROKERS}',
  'scan.startup.mode' = 'earliest-offset',
  ${ENGAGEMENTS_END}
  'format' = 'avro'
);

CREATE TABLE samples (
  view_id STRING NOT NULL,
  user_id BIGINT NOT NULL,
  post_id BIGINT NOT NULL,
  ts TIMESTAMP(3) NOT NULL,
  surface STRING NOT NULL,
  pos INT NOT NULL,
  features ARRAY<FLOAT NOT NULL> NOT NULL,
  label BOOLEAN NOT NULL
) WITH (
  'connector' = 'kafka',
  'topic' = '${SAMPLES}',
  'properties.bootstrap.servers' = '${BROKERS}',
  'properties.compression.type' = 'lz4',
  'sink.delivery-guarantee' = 'at-least-once',
  'format' = 'avro'
);

INSERT INTO samples
SELECT v.view_id, v.user_id, v.post_id, CAST(v.ts AS TIMESTAMP(3)), v.surface, v.pos, v.features,
  e.view_id IS NOT NULL
FROM `views` v
LEFT JOIN engagements e
  ON v.view_id = e.view_id AND e.ts >= v.ts AND e.ts < v.ts + INTERVAL '${WINDOW}' DAY TO SECOND;
