namespace Regex

inductive RE (α : Type) where
  | empty : RE α
  | eps : RE α
  | char : α → RE α
  | alt : RE α → RE α → RE α
  | seq : RE α → RE α → RE α
  | star : RE α → RE α

inductive Matches {α : Type} : RE α → List α → Prop where
  | eps : Matches .eps []
  | char (a) : Matches (.char a) [a]
  | altL {r s w} : Matches r w → Matches (.alt r s) w
  | altR {r s w} : Matches s w → Matches (.alt r s) w
  | seq {r s u v} : Matches r u → Matches s v → Matches (.seq r s) (u ++ v)
  | starNil {r} : Matches (.star r) []
  | starCons {r a u v} :
      Matches r (a :: u) → Matches (.star r) v → Matches (.star r) (a :: u ++ v)

def nullable {α : Type} : RE α → Bool
  | .empty => false
  | .eps => true
  | .char _ => false
  | .alt r s => nullable r || nullable s
  | .seq r s => nullable r && nullable s
  | .star _ => true

def deriv {α : Type} [DecidableEq α] (c : α) : RE α → RE α
  | .empty => .empty
  | .eps => .empty
  | .char a => if a = c then .eps else .empty
  | .alt r s => .alt (deriv c r) (deriv c s)
  | .seq r s =>
    if nullable r then .alt (.seq (deriv c r) s) (deriv c s) else .seq (deriv c r) s
  | .star r => .seq (deriv c r) (.star r)

def accepts {α : Type} [DecidableEq α] (r : RE α) : List α → Bool
  | [] => nullable r
  | c :: w => accepts (deriv c r) w

theorem matches_eps {α : Type} {w : List α} : Matches .eps w ↔ w = [] := by
  constructor
  · intro h
    cases h
    rfl
  · intro h
    subst h
    exact .eps

theorem matches_char {α : Type} {a : α} {w : List α} : Matches (.char a) w ↔ w = [a] := by
  constructor
  · intro h
    cases h
    rfl
  · intro h
    subst h
    exact .char a

theorem matches_alt {α : Type} {r s : RE α} {w : List α} :
    Matches (.alt r s) w ↔ Matches r w ∨ Matches s w := by
  constructor
  · intro h
    cases h with
    | altL h => exact Or.inl h
    | altR h => exact Or.inr h
  · intro h
    rcases h with h | h
    · exact .altL h
    · exact .altR h

theorem matches_seq {α : Type} {r s : RE α} {w : List α} :
    Matches (.seq r s) w ↔ ∃ u v, w = u ++ v ∧ Matches r u ∧ Matches s v := by
  constructor
  · intro h
    cases h with
    | seq h1 h2 => exact ⟨_, _, rfl, h1, h2⟩
  · intro h
    obtain ⟨u, v, rfl, h1, h2⟩ := h
    exact .seq h1 h2

theorem matches_star_cons {α : Type} {r : RE α} {c : α} {w : List α} :
    Matches (.star r) (c :: w) ↔
      ∃ u v, w = u ++ v ∧ Matches r (c :: u) ∧ Matches (.star r) v := by
  constructor
  · intro h
    generalize hx : c :: w = x at h
    cases h with
    | starNil => cases hx
    | starCons h1 h2 =>
      rw [List.cons_append] at hx
      injection hx with e1 e2
      subst e1
      exact ⟨_, _, e2, h1, h2⟩
  · intro h
    obtain ⟨u, v, rfl, h1, h2⟩ := h
    exact .starCons h1 h2

theorem nullable_iff {α : Type} (r : RE α) : nullable r = true ↔ Matches r [] := by
  induction r with
  | empty => exact ⟨nofun, nofun⟩
  | eps => exact ⟨fun _ => .eps, fun _ => rfl⟩
  | char a => exact ⟨nofun, nofun⟩
  | alt r s ihr ihs => simp only [nullable, Bool.or_eq_true, matches_alt, ihr, ihs]
  | seq r s ihr ihs =>
    simp only [nullable, Bool.and_eq_true, matches_seq, ihr, ihs]
    constructor
    · intro h
      exact ⟨[], [], rfl, h.1, h.2⟩
    · intro h
      obtain ⟨u, v, e, h1, h2⟩ := h
      obtain ⟨rfl, rfl⟩ := List.append_eq_nil_iff.mp e.symm
      exact ⟨h1, h2⟩
  | star r _ => exact ⟨fun _ => .starNil, fun _ => rfl⟩

theorem deriv_iff {α : Type} [DecidableEq α] (c : α) (r : RE α) (w : List α) :
    Matches (deriv c r) w ↔ Matches r (c :: w) := by
  induction r generalizing w with
  | empty =>
    constructor
    · intro h
      cases h
    · intro h
      cases h
  | eps =>
    constructor
    · intro h
      cases h
    · intro h
      cases h
  | char a =>
    by_cases h : a = c
    · subst h
      rw [deriv, if_pos rfl, matches_eps, matches_char]
      simp
    · rw [deriv, if_neg h, matches_char]
      constructor
      · intro hm
        cases hm
      · intro e
        injection e with e _
        exact absurd e.symm h
  | alt r s ihr ihs => simp only [deriv, matches_alt, ihr, ihs]
  | seq r s ihr ihs =>
    by_cases hn : nullable r = true
    · simp only [deriv, if_pos hn, matches_alt, matches_seq, ihr, ihs]
      constructor
      · intro h
        rcases h with ⟨u, v, rfl, h1, h2⟩ | h
        · exact ⟨c :: u, v, rfl, h1, h2⟩
        · exact ⟨[], c :: w, rfl, (nullable_iff r).mp hn, h⟩
      · intro h
        obtain ⟨u, v, e, h1, h2⟩ := h
        cases u with
        | nil =>
          rw [List.nil_append] at e
          rw [e]
          exact Or.inr h2
        | cons a u =>
          rw [List.cons_append] at e
          injection e with e1 e2
          subst e1
          exact Or.inl ⟨u, v, e2, h1, h2⟩
    · simp only [deriv, if_neg hn, matches_seq, ihr]
      constructor
      · intro h
        obtain ⟨u, v, rfl, h1, h2⟩ := h
        exact ⟨c :: u, v, rfl, h1, h2⟩
      · intro h
        obtain ⟨u, v, e, h1, h2⟩ := h
        cases u with
        | nil => exact absurd ((nullable_iff r).mpr h1) hn
        | cons a u =>
          rw [List.cons_append] at e
          injection e with e1 e2
          subst e1
          exact ⟨u, v, e2, h1, h2⟩
  | star r ih => simp only [deriv, matches_seq, matches_star_cons, ih]

theorem accepts_iff {α : Type} [DecidableEq α] (r : RE α) (w : List α) :
    accepts r w = true ↔ Matches r w := by
  induction w generalizing r with
  | nil => exact nullable_iff r
  | cons c w ih => rw [accepts, ih, deriv_iff]

end Regex
