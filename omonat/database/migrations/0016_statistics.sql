-- Values that are sealed, hashed or digested stay out of the server's statistics, where they would outlive their row.
-- Which ones: omonat/database/inventory.toml, asked at every start.
alter table clients       alter column secret   set statistics 0;
alter table staff         alter column login    set statistics 0;
alter table staff         alter column profile  set statistics 0;
alter table staff         alter column password set statistics 0;
alter table staff         alter column totp     set statistics 0;
alter table web_sessions  alter column id       set statistics 0;
alter table web_sessions  alter column state    set statistics 0;
alter table sign_in_codes alter column digest   set statistics 0;
alter table sign_in_codes alter column code     set statistics 0;
alter table idempotency   alter column key      set statistics 0;
alter table idempotency   alter column request  set statistics 0;
alter table idempotency   alter column answer   set statistics 0;
alter table rates         alter column key      set statistics 0;
