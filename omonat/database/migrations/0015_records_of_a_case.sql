-- The newest records of a case are reached by key: somebody may add to a case for years. Promise S4 (a use is bounded).

drop index records_by_case;
create index records_by_case on records (case_id, collected_at desc);
