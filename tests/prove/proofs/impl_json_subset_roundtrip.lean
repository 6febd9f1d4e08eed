namespace JsonSubset

inductive Json where
  | null : Json
  | bool : Bool → Json
  | num : Nat → Json
  | str : List Char → Json
  | arr : List Json → Json

def digit (d : Nat) : Char := Char.ofNat (48 + d)

def number (n : Nat) : List Char :=
  if n < 10 then [digit n] else number (n / 10) ++ [digit (n % 10)]

def escape : List Char → List Char
  | [] => []
  | c :: cs => if c = '"' ∨ c = '\\' then '\\' :: c :: escape cs else c :: escape cs

mutual

def render : Json → List Char
  | .null => ['n', 'u', 'l', 'l']
  | .bool true => ['t', 'r', 'u', 'e']
  | .bool false => ['f', 'a', 'l', 's', 'e']
  | .num n => number n
  | .str s => '"' :: (escape s ++ ['"'])
  | .arr items => '[' :: renderItems items

def renderItems : List Json → List Char
  | [] => [']']
  | [j] => render j ++ [']']
  | j :: k :: items => render j ++ ',' :: renderItems (k :: items)

end

def isDigit (c : Char) : Bool := decide (48 ≤ c.toNat) && decide (c.toNat < 58)

def readNat : Nat → List Char → Nat × List Char
  | n, [] => (n, [])
  | n, c :: cs => if isDigit c then readNat (n * 10 + (c.toNat - 48)) cs else (n, c :: cs)

def readString : List Char → Option (List Char × List Char)
  | [] => none
  | c :: cs =>
    if c = '"' then some ([], cs)
    else if c = '\\' then
      match cs with
      | [] => none
      | d :: ds => (readString ds).map (fun p => (d :: p.1, p.2))
    else (readString cs).map (fun p => (c :: p.1, p.2))

mutual

/-- Trusts words for their first letters: what was read is rendered again and compared. -/
def value : Nat → List Char → Option (Json × List Char)
  | 0, _ => none
  | _ + 1, [] => none
  | fuel + 1, c :: cs =>
    if isDigit c then some (.num (readNat 0 (c :: cs)).1, (readNat 0 (c :: cs)).2)
    else if c = 'n' then some (.null, cs.drop 3)
    else if c = 't' then some (.bool true, cs.drop 3)
    else if c = 'f' then some (.bool false, cs.drop 4)
    else if c = '"' then (readString cs).map (fun p => (.str p.1, p.2))
    else if cs.head? = some ']' then some (.arr [], cs.drop 1)
    else (items fuel cs).map (fun p => (.arr p.1, p.2))

def items : Nat → List Char → Option (List Json × List Char)
  | 0, _ => none
  | fuel + 1, cs =>
    match value fuel cs with
    | some (j, c :: rest) =>
      if c = ',' then (items fuel rest).map (fun p => (j :: p.1, p.2)) else some ([j], rest)
    | _ => none

end

/-- Read what `render` writes, and nothing else. -/
def parse (text : List Char) : Option Json :=
  match value text.length text with
  | some (j, []) => if render j = text then some j else none
  | _ => none

theorem digit_spec : ∀ d, d < 10 → isDigit (digit d) = true ∧ (digit d).toNat - 48 = d := by
  decide

def NoDigit (rest : List Char) : Prop := ∀ c cs, rest = c :: cs → isDigit c = false

theorem number_head (n : Nat) : ∃ c cs, number n = c :: cs ∧ isDigit c = true := by
  fun_induction number n with
  | case1 n h => exact ⟨digit n, [], rfl, (digit_spec n h).1⟩
  | case2 n h ih =>
    obtain ⟨c, cs, e, hc⟩ := ih
    exact ⟨c, cs ++ [digit (n % 10)], by rw [e]; rfl, hc⟩

theorem readNat_number (n : Nat) (rest : List Char) :
    readNat 0 (number n ++ rest) = readNat n rest := by
  fun_induction number n generalizing rest with
  | case1 n h =>
    have := digit_spec n h
    simp [readNat, this]
  | case2 n h ih =>
    have := digit_spec (n % 10) (by omega)
    rw [List.append_assoc, ih]
    simp only [List.cons_append, List.nil_append, readNat, this, if_true]
    congr 1
    omega

theorem readNat_stop {rest : List Char} (h : NoDigit rest) (n : Nat) :
    readNat n rest = (n, rest) := by
  cases rest with
  | nil => rfl
  | cons c cs => simp [readNat, h c cs rfl]

theorem readString_escape (s rest : List Char) :
    readString (escape s ++ '"' :: rest) = some (s, rest) := by
  induction s with
  | nil =>
    unfold readString
    simp [escape]
  | cons c s ih =>
    by_cases h : c = '"' ∨ c = '\\'
    · simp [escape, h, readString, ih]
    · have h' := not_or.mp h
      rw [escape, if_neg h, List.cons_append, readString.eq_def]
      simp [h', ih]

theorem render_head (j : Json) : ∃ c cs, render j = c :: cs ∧ c ≠ ']' := by
  cases j with
  | null => exact ⟨_, _, rfl, by decide⟩
  | bool b => cases b <;> exact ⟨_, _, rfl, by decide⟩
  | num n =>
    obtain ⟨c, cs, e, h⟩ := number_head n
    refine ⟨c, cs, by rw [render, e], ?_⟩
    rintro rfl
    exact absurd h (by decide)
  | str s => exact ⟨'"', _, by rw [render], by decide⟩
  | arr l => exact ⟨'[', _, by rw [render], by decide⟩

theorem renderItems_head (j : Json) (l : List Json) :
    ∃ c cs, renderItems (j :: l) = c :: cs ∧ c ≠ ']' := by
  obtain ⟨c, cs, e, h⟩ := render_head j
  cases l with
  | nil => exact ⟨c, cs ++ [']'], by rw [renderItems, e]; rfl, h⟩
  | cons k l => exact ⟨c, cs ++ ',' :: renderItems (k :: l), by rw [renderItems, e]; rfl, h⟩

theorem read_back (fuel : Nat) :
    (∀ j rest, (render j).length ≤ fuel → NoDigit rest →
      value fuel (render j ++ rest) = some (j, rest)) ∧
    (∀ j l rest, (renderItems (j :: l)).length ≤ fuel →
      items fuel (renderItems (j :: l) ++ rest) = some (j :: l, rest)) := by
  induction fuel with
  | zero =>
    constructor
    · intro j rest h
      obtain ⟨c, cs, e, _⟩ := render_head j
      simp [e] at h
    · intro j l rest h
      obtain ⟨c, cs, e, _⟩ := renderItems_head j l
      simp [e] at h
  | succ fuel ih =>
    constructor
    · intro j rest h hr
      cases j with
      | null => simp [render, value, isDigit]
      | bool b => cases b <;> simp [render, value, isDigit]
      | num n =>
        obtain ⟨c, cs, hc, hd⟩ := number_head n
        have back := readNat_number n rest
        rw [readNat_stop hr, hc, List.cons_append] at back
        rw [render, hc, List.cons_append, value, if_pos hd, back]
      | str s => simp [render, value, isDigit, readString_escape]
      | arr l =>
        cases l with
        | nil => simp [render, renderItems, value, isDigit]
        | cons j l =>
          have inner := ih.2 j l rest (by simp [render] at h; omega)
          obtain ⟨c, cs, e, hc⟩ := renderItems_head j l
          simp only [e, List.cons_append] at inner
          simp [render, e, value, isDigit, inner, hc]
    · intro j l rest h
      cases l with
      | nil =>
        simp only [renderItems, List.length_append, List.length_singleton] at h
        have one := ih.1 j (']' :: rest) (by omega) (by
          intro c cs e
          cases e
          decide)
        simp [renderItems, items, one]
      | cons k l =>
        simp only [renderItems, List.length_append, List.length_cons] at h
        have one := ih.1 j (',' :: (renderItems (k :: l) ++ rest)) (by omega) (by
          intro c cs e
          cases e
          decide)
        simp [renderItems, items, one, ih.2 k l rest (by omega)]

theorem parse_render (j : Json) : parse (render j) = some j := by
  have := (read_back (render j).length).1 j [] (Nat.le_refl _) (by intro c cs e; cases e)
  rw [List.append_nil] at this
  simp [parse, this]

theorem render_parse (text : List Char) (j : Json) (h : parse text = some j) :
    render j = text := by
  unfold parse at h
  split at h
  · split at h
    · cases h
      assumption
    · cases h
  · cases h

end JsonSubset
