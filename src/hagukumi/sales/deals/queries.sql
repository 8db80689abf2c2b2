-- name: next_deal_id
SELECT nextval('deal_id_seq');
