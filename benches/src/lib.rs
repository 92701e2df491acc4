//! What is measured from outside a broker, beside `highwater bench`. `compare/run` uses both, with Apache Kafka beside us.
