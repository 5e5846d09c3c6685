-- The same for what came with erasure, holds and proof packets: no digest and no sealed value in the statistics.
alter table erasures        alter column seal      set statistics 0;
alter table holds           alter column authority set statistics 0;
alter table proof_packets   alter column handle    set statistics 0;
alter table sign_in_codes   alter column older     set statistics 0;
