-- De deux lignes sûrement reliées, l'une renvoie à l'autre et n'est pas comptée ; l'autre l'est, sauf démonstration.
-- blocking: yes

select linked_lines.line_id, linked_lines.other_line_id, mine.not_counted_reason, other.is_counted
from linked_lines
left join applications as mine on linked_lines.line_id = mine.line_id
left join applications as other on linked_lines.other_line_id = other.line_id
where linked_lines.is_sure
    and (
        mine.is_counted is distinct from false
        or mine.counted_line_id is distinct from linked_lines.other_line_id
        or coalesce(other.is_counted, false) = (other.not_counted_reason is not distinct from 'demonstration')
    );
