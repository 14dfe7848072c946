"""The cluster host; so far the topics that it needs on Kafka."""
