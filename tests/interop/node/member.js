// One member of a group: member.js CLIENT VARIANT BOOTSTRAP GROUP TOPIC NAME [INSTANCE]; python/member.py has the words it says.

const { writeSync } = require('node:fs')

const SESSION_MS = 6000
const HEARTBEAT_MS = 500

function say(...words) {
  writeSync(1, words.join(' ').replaceAll('\n', ' ') + '\n')
}

function assigned(partitions) {
  say('assigned', [...(partitions ?? [])].sort((a, b) => a - b).join(','))
}

const leaving = new Promise(resolve => process.stdin.on('end', resolve).resume())

async function kafkajs({ bootstrap, group, topic, name }) {
  const { Kafka, logLevel } = require('kafkajs')
  const kafka = new Kafka({
    clientId: name,
    brokers: [bootstrap],
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 100, maxRetryTime: 500 }
  })
  const consumer = kafka.consumer({
    groupId: group,
    sessionTimeout: SESSION_MS,
    rebalanceTimeout: SESSION_MS,
    heartbeatInterval: HEARTBEAT_MS,
    metadataMaxAge: 1000,
    maxWaitTimeInMs: 200
  })
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => assigned(payload.memberAssignment[topic]))
  consumer.on(consumer.events.REBALANCING, () => assigned([]))
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch: { partition, messages }, isStale, isRunning }) => {
      if (isStale() || !isRunning()) return
      for (const { offset, value } of messages) say('got', partition, offset, value.toString())
      const next = String(BigInt(messages.at(-1).offset) + 1n)
      try {
        await consumer.commitOffsets([{ topic, partition, offset: next }])
      } catch (error) {
        say('commit-failed', error)
        throw error
      }
      say('committed', partition, next)
    }
  })
  await leaving
  await consumer.disconnect()
}

async function platformatic({ variant, bootstrap, group, topic, name, instance }) {
  const { Consumer, stringDeserializers } = await import('@platformatic/kafka')
  const consumer = new Consumer({
    clientId: name,
    groupId: group,
    bootstrapBrokers: [bootstrap],
    deserializers: stringDeserializers,
    autocommit: false,
    metadataMaxAge: 1000,
    maxWaitTime: 200,
    ...(variant === 'consumer'
      ? { groupProtocol: 'consumer' }
      : { sessionTimeout: SESSION_MS, rebalanceTimeout: SESSION_MS, heartbeatInterval: HEARTBEAT_MS }),
    ...(instance ? { groupInstanceId: instance } : {})
  })
  // The stream goes on with what it fetched before a rebalance, and then with all behind the committed offset: who does not
  // want partitions that it has lost, or records twice, has to look.
  let positions = new Map()
  const take = () => {
    const partitions = consumer.assignments?.find(one => one.topic === topic)?.partitions ?? []
    const same = partitions.length === positions.size && partitions.every(one => positions.has(one))
    if (same && variant === 'consumer') return
    positions = new Map(partitions.map(one => [one, positions.get(one) ?? 0n]))
    assigned(partitions)
  }
  if (variant === 'consumer') {
    // It tells nobody of assignments after the first.
    setInterval(take, 20)
  } else {
    consumer.on('consumer:group:join', take)
    consumer.on('consumer:group:rebalance', () => assigned([]))
  }
  let stream, isLeaving
  leaving.then(() => {
    isLeaving = true
    stream?.close()
  })
  // A broker that is away longer than the client retries ends the stream: the application opens another.
  while (!isLeaving) {
    try {
      stream = await consumer.consume({ topics: [topic], mode: 'committed', fallbackMode: 'earliest' })
      for await (const message of stream) {
        if (variant === 'consumer') take()
        if (message.offset < (positions.get(message.partition) ?? Infinity)) continue
        positions.set(message.partition, message.offset + 1n)
        say('got', message.partition, message.offset, message.value)
        try {
          await message.commit()
          say('committed', message.partition, message.offset + 1n)
        } catch (error) {
          say('commit-failed', error)
        }
      }
    } catch (error) {
      say('commit-failed', 'the stream ended:', error)
    }
  }
  await consumer.close(true)
}

async function main() {
  const [client, variant, bootstrap, group, topic, name, instance] = process.argv.slice(2)
  await { kafkajs, platformatic }[client]({ variant, bootstrap, group, topic, name, instance })
  say('left')
  process.exit(0)
}

main()
