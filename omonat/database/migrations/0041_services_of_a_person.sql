-- Which services somebody has records of is asked without asking each record: an erasure decides with it whether anything
-- can stay, while nobody reaches the person. Promise R3. Equal entries are kept once, so a record adds a few bytes.
create index records_by_service on records (person, service);
