-- What must be shown when a person is gone survives an older copy of this database too (S6, A1).
select journal_control('proof_packets');
