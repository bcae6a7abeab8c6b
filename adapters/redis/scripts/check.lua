-- Whether this server takes changes: {life}. Removes nothing, which only a server that is read from
-- refuses; a full one does not, as reading and deleting go on there.
--@include life
redis.call('UNLINK', base .. ':check')
return {life}
