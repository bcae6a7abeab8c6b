-- Checks whether this server accepts writes: {generation}. Removes nothing: a replica refuses that, but a
-- full server does not, since reads and deletions continue there.
--@include begin
redis.call('UNLINK', base .. ':check')
return {generation}
