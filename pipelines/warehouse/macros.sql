-- Expressions shared by the models: identity of names, places, intervals. Temporary: no database keeps them.

-- « Épicerie du Lez » → epicerie-du-lez ; empty text → NULL
create temp macro slug(words) as nullif(trim(regexp_replace(
    strip_accents(replace(replace(lower(words), 'œ', 'oe'), 'æ', 'ae')), '[^a-z0-9]+', '-', 'g'), '-'), '');

-- Official geographic code first; a postcode only says the post office's département (Corsica is 20).
create temp macro departement_of(commune_code, postcode) as case
    when commune_code is not null then left(commune_code, if(commune_code[1:2] in ('97', '98'), 3, 2))
    when postcode[1:2] in ('97', '98') then left(postcode, 3)
    when postcode[1:2] = '20' then if(postcode < '20200', '2A', '2B')
    else left(postcode, 2)
end;

-- A local authority's SIREN says where it is (20 to 24; 92 and 93 overseas); no other does.
create temp macro authority_siren(siren, siret) as if(
    left(coalesce(siren, siret), 2) in ('20', '21', '22', '23', '24', '92', '93'), left(coalesce(siren, siret), 9), null);

-- What a line says its applicant is: SIREN, else RNA, else the funder's own number, else a name inside the funder's files
-- (and in one commune: networks and feast committees bear one name everywhere). Nothing here joins
-- two funders by a name: that is for `organisation_keys`.
create temp macro organisation_key(siren, siret, rna, local_id, name, commune_code, id_raw, case_number, line_id, funder_id) as coalesce(
    'siren:' || coalesce(siren, left(siret, 9)),
    'rna:' || rna,
    'local:' || funder_id || ':' || local_id,
    -- folded only where it is read: coalesce() does not spare the others
    'name:' || funder_id || ':' || slug(if(coalesce(siren, siret, rna, local_id) is null, name, null)) || coalesce(':' || commune_code, ''),
    'raw:' || funder_id || ':' || id_raw,
    'case:' || funder_id || ':' || case_number,
    'line:' || line_id
);

-- Something says who it is: more than that it wrote one line, had one file number, or an unreadable identifier.
create temp macro is_identified(organisation_id) as not (
    starts_with(organisation_id, 'line:') or starts_with(organisation_id, 'case:') or starts_with(organisation_id, 'raw:'));

-- What concludes the theme of a line: the first that says something, in this order. Food aid is looked for before any other.
create temp macro theme_basis(file_theme, is_stated, scheme, title, theme_raw, applicant_name, programme, is_broad_programme, service, hint) as case
    when file_theme is not null then if(is_stated, 'stated', 'lookup')
    when scheme = 'food_aid' then 'scheme'
    when title = 'food_aid' then 'title'
    when theme_raw = 'food_aid' then 'theme_raw'
    when applicant_name = 'food_aid' then 'applicant_name'
    when programme is not null and not is_broad_programme then 'programme'
    when scheme is not null then 'scheme'
    when title is not null then 'title'
    when theme_raw is not null then 'theme_raw'
    when applicant_name is not null then 'applicant_name'
    when programme is not null then 'programme'
    when service is not null then 'service'
    when hint is not null then 'hint'
    else 'none'
end;

-- Which decision stands when the lines of one application disagree.
create temp macro decision_rank(status) as case status
    when 'awarded' then 1 when 'refused' then 2 when 'inadmissible' then 3 when 'withdrawn' then 4
    when 'closed_no_action' then 5 when 'cancelled' then 6 when 'pending' then 7 else 8
end;

-- Wilson's score interval (1927), two-sided 95 %.
create temp macro wilson_centre(x, n) as (x + 1.959963984540054 ** 2 / 2) / (n + 1.959963984540054 ** 2);
create temp macro wilson_half(x, n) as
    1.959963984540054 / (n + 1.959963984540054 ** 2)
    * sqrt(x * (n - x)::double / n + 1.959963984540054 ** 2 / 4);
create temp macro wilson_low(x, n) as case when n > 0 then if(x = 0, 0, wilson_centre(x, n) - wilson_half(x, n)) end;
create temp macro wilson_high(x, n) as case when n > 0 then if(x = n, 1, wilson_centre(x, n) + wilson_half(x, n)) end;
-- How many applications lines are of. One that has one line only is counted with its line: to remember every number
-- that was met is most of what such a count costs.
create temp macro n_applications(application_id, is_only_line, is_wanted) as (
    count(*) filter (is_wanted and is_only_line)
    + count(distinct if(is_only_line, null, application_id)) filter (is_wanted)
)::integer;
create temp macro ratio(x, n) as if(n > 0, x / n::double, null);
create temp macro per_inhabitant(amount, population) as if(population > 0, round(amount / population::double, 2)::decimal(18, 2), null);

-- Refusals of a cell are published when the services that publish them examined at least nine applications in ten.
create temp macro published_of(share, is_declared_false) as
    case when share >= getvariable('min_published_share') then true when is_declared_false then false end;

-- Whether a funder or a service publishes its refusals, from the lines of the cells that do.
create temp macro published_in(published_lines, all_lines, is_declared_false) as case
    when published_lines / all_lines >= getvariable('min_published_share') then 'yes'
    when published_lines > 0 then 'partly'
    when is_declared_false then 'no'
    else 'unknown'
end;

-- The rates of one cell (DOMAIN 3.2) from its counts. `undecided` is neither decided nor closed: pending or unknown.
-- Counts only below `min_decisions`; bounds instead of the rate while less than `min_decided_share` is decided; a rate
-- of zero only where the funder declares its refusals or the service shows some elsewhere (`zero_allowed`).
create temp macro rates_of(is_published, zero_allowed, n_awarded, n_refused, n_inadmissible, undecided, n_total) as
    struct_pack(
        refusal_rate := if(is_published and (n_refused > 0 or zero_allowed)
            and n_awarded + n_refused >= getvariable('min_decisions')
            and 1 - ratio(undecided, n_total) >= getvariable('min_decided_share'),
            ratio(n_refused, n_awarded + n_refused), null),
        bound_low := if(is_published and (n_refused > 0 or zero_allowed) and undecided > 0
            and n_awarded + n_refused + undecided >= getvariable('min_decisions'),
            ratio(n_refused, n_awarded + n_refused + undecided), null),
        bound_high := if(is_published and (n_refused > 0 or zero_allowed) and undecided > 0
            and n_awarded + n_refused + undecided >= getvariable('min_decisions'),
            ratio(n_refused + undecided, n_awarded + n_refused + undecided), null),
        inadmissibility_rate := if(is_published and n_awarded + n_refused + n_inadmissible >= getvariable('min_decisions')
            and 1 - ratio(undecided, n_total) >= getvariable('min_decided_share'),
            ratio(n_inadmissible, n_awarded + n_refused + n_inadmissible), null),
        non_success_rate := if(is_published and n_awarded + n_refused + n_inadmissible >= getvariable('min_decisions')
            and 1 - ratio(undecided, n_total) >= getvariable('min_decided_share'),
            ratio(n_refused + n_inadmissible, n_awarded + n_refused + n_inadmissible), null),
        decided_share := 1 - ratio(undecided, n_total)
    );

-- E-mail addresses, IBAN, social security numbers and telephone numbers written in free text.
create temp macro numbers_masked(words) as if(not regexp_matches(words, '[0-9@]'), words,
    regexp_replace(regexp_replace(regexp_replace(regexp_replace(words,
        '[\pL0-9._%+-]+@[\pL0-9-]+(\.[\pL0-9-]+)+', '[adresse électronique retirée]', 'g'),
        '(?i)\b[A-Z]{2}[0-9]{2}([\s\x{00A0}\x{202F}]?[0-9]){10}([\s\x{00A0}\x{202F}]?[0-9A-Z]){2,13}\b',
        '[coordonnées bancaires retirées]', 'g'),
        '\b[12][\s\x{00A0}\x{202F}.]?[0-9]{2}[\s\x{00A0}\x{202F}.]?[0-9]{2}[\s\x{00A0}\x{202F}.]?([0-9]{2}|2[AB])[\s\x{00A0}\x{202F}.]?[0-9]{3}[\s\x{00A0}\x{202F}.]?[0-9]{3}([\s\x{00A0}\x{202F}./]?[0-9]{2})?\b',
        '[numéro personnel retiré]', 'g'),
        '((\+|\b00)33[\s\x{00A0}\x{202F}.-]?(\(0\))?[\s\x{00A0}\x{202F}.-]?|\b0)[1-9]([\s\x{00A0}\x{202F}./-]?[0-9]{2}){4}\b',
        '[téléphone retiré]', 'g'));

-- First names common enough to tell « Jean Dupont » from « École primaire » after « bourse à ».
create temp macro first_names() as '(?i:Adrien|Agnès|Alain|Albert|Alexandra|Alexandre|Alice|Alicia|Amina|Amélie|Anaïs|André|Andrée|Angélique|Anita|Anna|Anne|Annick|Annie|Anthony|Antoine|Arnaud|Arthur|Audrey|Aurore|Aurélie|Aurélien|Ayoub|Baptiste|Benjamin|Benoît|Bernadette|Bernard|Bertrand|Brigitte|Bruno|Béatrice|Camille|Caroline|Catherine|Cédric|Céline|Chantal|Charles|Charlotte|Chloé|Christelle|Christian|Christiane|Christine|Christophe|Claire|Claude|Claudine|Clara|Clément|Colette|Corinne|Cyril|Damien|Daniel|Danielle|David|Delphine|Denis|Denise|Didier|Dominique|Elisabeth|Élisabeth|Elodie|Élodie|Emilie|Émilie|Emma|Emmanuel|Emmanuelle|Enzo|Eric|Éric|Estelle|Etienne|Étienne|Eva|Evelyne|Fabien|Fabrice|Fanny|Farid|Fatima|Florence|Florian|Francine|Francis|Franck|François|Françoise|Frédéric|Frédérique|Gabriel|Gaëlle|Geneviève|Georges|Gérard|Germaine|Gilbert|Gilles|Ginette|Grégory|Guillaume|Guy|Hassan|Hélène|Henri|Hervé|Hugo|Huguette|Inès|Irène|Isabelle|Jacqueline|Jacques|Jean|Jeanne|Jeannine|Jérémy|Jérôme|Jérémie|Joël|Joëlle|Jonathan|Joseph|Josette|Josiane|Julie|Julien|Juliette|Justine|Karim|Karine|Kevin|Kévin|Khadija|Laetitia|Laura|Laure|Laurence|Laurent|Léa|Léo|Liliane|Lionel|Louis|Louise|Lucas|Lucie|Lucien|Ludovic|Lydia|Manon|Marc|Marcel|Marcelle|Margaux|Marguerite|Maria|Marie|Marine|Marion|Marlène|Martine|Mathieu|Mathilde|Matthieu|Maurice|Maxime|Mélanie|Michaël|Michel|Michèle|Micheline|Mickaël|Mireille|Mohamed|Monique|Morgane|Muriel|Myriam|Nadia|Nathalie|Nicolas|Nicole|Nina|Noémie|Odette|Odile|Olivia|Olivier|Ophélie|Pascal|Pascale|Patrice|Patricia|Patrick|Paul|Paulette|Pauline|Philippe|Pierre|Pierrette|Quentin|Rachid|Raymond|Raymonde|Régine|Régis|Rémi|Rémy|René|Renée|Richard|Robert|Roger|Roland|Romain|Rose|Sabrina|Said|Samir|Samira|Samuel|Sandra|Sandrine|Sarah|Sébastien|Serge|Séverine|Simon|Simone|Solange|Sonia|Sophie|Stéphane|Stéphanie|Suzanne|Sylvain|Sylvie|Teddy|Théo|Thérèse|Thierry|Thomas|Valentin|Valérie|Vanessa|Véronique|Vincent|Virginie|William|Xavier|Yann|Yannick|Yasmina|Youssef|Yvan|Yves|Yvette|Yvonne|Zoé)';
create temp macro proper_name() as '\p{Lu}[\pL''’-]*\.?';
create temp macro civility() as '(?:M\.|MM\.|M[Rr]\.?|M[Mm][Ee][Ss]?\.?|M[Ll][Ll][Ee][Ss]?\.?|MONSIEUR|Monsieur|MADAME|Madame|MADEMOISELLE|Mademoiselle)';

-- Places and works named after somebody; and what else a name of two words may be.
create temp macro named_places() as '(?i:rue|avenue|av|bd|boulevard|place|square|quai|cour|cité|allées?|impasse|passage|villa|jardin|parc|pont|gymnase|stade|piscine|[ée]coles?|coll[èe]ge|lyc[ée]e|cr[èe]che|th[ée][âa]tre|mus[ée]e|biblioth[èe]que|m[ée]diath[èe]que|salle|espace|prix|film|spectacle|pi[èe]ce|op[ée]ra|roman|lecture|festival|compagnie|cie|fondation)';
create temp macro named_bodies() as '(?i:associations?|amicale|club|comit[ée]|centre|maison|foyer|cercle|union|collectif|groupe|ensemble|atelier|r[ée]sidence|h[ôo]pital|institut|universit[ée]|soci[ée]t[ée])';

-- Names of persons and dates of birth written in free text, where words around them say so: a civility and a name (streets,
-- schools, works named after somebody are kept, and « Monsieur le maire »), or a first name and a name after what is
-- given to a person. A name that nothing announces is not recognised. A character of private use marks what is kept.
create temp macro names_masked(words) as if(
    not regexp_matches(words, '\bM[.MRmr]|\bM(ELL|ell|LL|ll)|\b[Mm](onsieur|adame|ademoiselle)\b|MONSIEUR|MADAME|MADEMOISELLE|(?i:\bn[ée]e?\S*\s+le\b)|(?i:attribu|allou|vers[ée]|bourse|secours|allocation|indemnit|gratification|r[ée]compense)'),
    words,
    replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(words,
        '(^|[^\pL])((?:' || named_places() || '|' || named_bodies() || ')(?:[^\pL]|$))', '\1' || chr(57344) || '\2', 'g'),
        '((?:^|[^\pL])' || named_places() || '[^,;:.()\pL](?:[^,;:.()]{0,20}[ "«’''])?)(' || civility() || '\s)', '\1' || chr(57344) || '\2', 'g'),
        '(' || civility() || '\s+(?:LE|LA|LES|L[''’]))', chr(57344) || '\1', 'g'),
        '(^|[^\pL\x{E000}])' || civility() || '\s+' || proper_name() || '(?:\s+(?:(?:de|du|des|la|le|van|von|ben|el|d[''’])\s*){0,2}' || proper_name() || '){0,2}',
        '\1[nom retiré]', 'g'),
        '((?i:(?:attribu\pL*|allou\pL*|vers[ée]\pL*|bourses?|secours|allocations?|indemnit\pL*|gratifications?|r[ée]compenses?)(?:[^.;:()\x{E000}]{0,40}?\s)?(?:à|a|au profit de|en faveur de|pour)\s+))(?:'
            || first_names() || '(?:-' || first_names() || ')?\s+\p{Lu}[\pL’''-]+|\p{Lu}[\p{Lu}’''-]{2,}\s+' || first_names() || ')([^\pL]|$)',
        '\1[nom retiré]\2', 'g'),
        '(?i:(^|[^\pL])n[ée]e?(?:\(e\)|\.e)?\s+le\s+)(?:[0-9]{1,2}[/.\s-][0-9]{1,2}[/.\s-][0-9]{2,4}|[0-9]{1,2}(?:er)?\s+\pL+\s+[0-9]{4})', '\1[date de naissance retirée]', 'g'),
        chr(57344), ''));

-- What free text may hold of a person and is not published.
create temp macro masked(words) as names_masked(numbers_masked(words));

-- Levels as field actors name them: a commune, its CCAS and its intercommunalité are one « bloc communal ».
create temp macro level_group(level) as case
    when level in ('commune', 'epci', 'ccas') then 'bloc_communal'
    when level in ('other_public', 'private') then 'other'
    else coalesce(level, 'unknown')
end;

-- What a public cell may say of its refusals. Nothing that depends on a count comes before knowing it may be shown.
create temp macro public_status(is_published, zero_allowed, n_refused, decided_share, is_refused_shown, is_undecided_shown) as case
    when not coalesce(is_published, false) then 'not_published'
    when not coalesce(is_refused_shown, false) then 'suppressed'
    when n_refused = 0 and not zero_allowed then 'not_published'
    when decided_share >= getvariable('min_decided_share') then 'shown'
    when coalesce(is_undecided_shown, false) then 'bounds'
    else 'suppressed'
end;

-- A count of lines that hides small numbers: to the nearest five, nothing below five.
create temp macro rounded(n) as if(n < 5, null, (round(n / 5.0) * 5)::integer);

-- « St Denis s/ Seine CEDEX 2 » → saint-denis-sur-seine ; « Rochelle (La) » → la-rochelle ; « Paris 11e » → paris
create temp macro folded_place(words) as regexp_replace(regexp_replace(regexp_replace(regexp_replace(
    slug(regexp_replace(regexp_replace(regexp_replace(regexp_replace(words,
        '(?i)\bcedex\b.*$', ''), '^(.*?)\s*\(((?i)l''|le|la|les)\)\s*$', '\2 \1'), '(?i)\bs/s\b', ' sous '), '(?i)\bs/', ' sur ')),
    '^\d{5}-|-\d{1,2}(-?(e|er|ere|eme|ieme))?(-(arrondissement|arrdt|arr))?$', '', 'g'),
    '(^|-)st(-|$)', '\1saint\2', 'g'), '(^|-)ste(-|$)', '\1sainte\2', 'g'), '-\d+(a|b)?$', '');

-- « Communauté de communes du Grand Pic Saint-Loup », « CC Grand Pic Saint-Loup » → grand-pic-saint-loup
create temp macro folded_epci(words) as nullif(regexp_replace(regexp_replace(folded_place(words),
    '\b(cc|ca|cu|communaute-de-communes|communaute-d-agglomeration|communaute-urbaine|communaute|agglomeration|agglo|metropole|intercommunal|intercommunale)\b', '', 'g'),
    '^-+((de-la|de-l|du|des|de|d|le|la|les|l)-)*|-+$', '', 'g'), '');

-- The words of a project's title, without years, small words and what a spreadsheet leaves of a line break: « Atelier de cuisine 2024 » → [atelier, cuisine]
create temp macro title_words(words) as list_filter(string_split(coalesce(slug(replace(words, '_x000D_', ' ')), ''), '-'), lambda w:
    w <> '' and not regexp_matches(w, '^((19|20)\d\d|de|du|des|d|l|la|le|les|un|une|et|a|au|aux|en|dans|pour|par|sur|avec|s|sa|son|ses|ce|cette)$'));

-- Words that any request for a grant may bear: a title made of them alone names no project.
create temp macro is_plain_word(word) as regexp_matches(word,
    '^(subventions?|aides?|soutien|fonctionnement|activites?|actions?|projets?|associations?|associatif|associative|annuel(le)?s?|global(e|es)?|demandes?|financements?|participation|contribution|dotations?|objet|versements?|solde|acompte|conventions?|cpo|exceptionnel(le)?s?|investissements?|equipements?|budget|general(e|es)?|divers|programmes?|exercice|annee|cotisations?|aap|appels?|ordinaire|statutaire|objectifs?|moyens?|achats?|travaux|manifestations?)$');

-- Numbers and ordinals, in Roman numerals too: two titles that differ by one name two projects.
create temp macro is_number(word) as regexp_matches(word, '\d|^x{0,3}(ix|iv|v?i{1,3}|v|x)(e|er|eme|ieme)?$');

-- Words of `a` that no word of `b` resembles; plain words apart.
create temp macro words_missing(a, b) as list_filter(a, lambda w: not list_contains(b, w) and not is_plain_word(w)
    and len(list_filter(b, lambda v: jaro_winkler_similarity(w, v) >= 0.92)) = 0);

-- The words of a line of words.
create temp macro words_of(line) as if(line = '', []::text[], string_split(line, ' '));

-- The words that name a project are all the applicant's own. Both as one line of words.
create temp macro is_borne(own_line, name_line) as case
    when own_line = '' then true
    -- nearly always the first word answers, and nothing is split
    when not contains(name_line, split_part(own_line, ' ', 1)) then false
    else list_has_all(words_of(name_line), words_of(own_line))
end;

-- One title is the other under a heading: « Appel 12, emploi : atelier de couture du port » and « Atelier de couture du port ».
create temp macro is_headed(a, b) as least(len(a), len(b)) >= 3 and (
    ends_with(array_to_string(a, ' '), ' ' || array_to_string(b, ' ')) or ends_with(array_to_string(b, ' '), ' ' || array_to_string(a, ' ')));

-- 0 to 1: share of letters that need no change between two titles, in their order or in the alphabetical order of words.
-- Each as one line of words, then as one line of its words sorted.
create temp macro lines_likeness(a, b, a_sorted, b_sorted) as greatest(
    1 - levenshtein(a, b) / greatest(length(a), length(b), 1),
    1 - levenshtein(a_sorted, b_sorted) / greatest(length(a_sorted), length(b_sorted), 1));
