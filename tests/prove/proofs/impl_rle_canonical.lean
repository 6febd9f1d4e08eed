namespace RleCanon

def push (x : Nat) : List (Nat × Nat) → List (Nat × Nat)
  | [] => [(x, 1)]
  | (y, n) :: rest => if x = y then (y, n + 1) :: rest else (x, 1) :: (y, n) :: rest

/-- Run-length encode: value and number of repetitions. -/
def encode (xs : List Nat) : List (Nat × Nat) :=
  match xs with
  | [] => []
  | x :: rest => push x (encode rest)

/-- Expand a run-length encoded list. -/
def decode (rs : List (Nat × Nat)) : List Nat :=
  match rs with
  | [] => []
  | (x, n) :: rest => List.replicate n x ++ decode rest

/-- Canonical: no empty runs and no two adjacent runs of the same value. -/
def Canonical : List (Nat × Nat) → Prop
  | [] => True
  | [(_, n)] => 0 < n
  | (x, n) :: (y, m) :: rest => 0 < n ∧ x ≠ y ∧ Canonical ((y, m) :: rest)

theorem decode_push (x : Nat) (rs : List (Nat × Nat)) : decode (push x rs) = x :: decode rs := by
  cases rs with
  | nil => simp [push, decode]
  | cons r rest =>
    obtain ⟨y, n⟩ := r
    by_cases h : x = y
    · subst h
      simp [push, decode, List.replicate_succ]
    · simp [push, h, decode]

theorem push_canonical (x : Nat) (rs : List (Nat × Nat)) (h : Canonical rs) :
    Canonical (push x rs) := by
  cases rs with
  | nil => simp [push, Canonical]
  | cons r rest =>
    obtain ⟨y, n⟩ := r
    by_cases e : x = y
    · simp only [push, if_pos e]
      cases rest with
      | nil => exact Nat.succ_pos n
      | cons s rest =>
        obtain ⟨z, m⟩ := s
        obtain ⟨_, h2, h3⟩ := h
        exact And.intro (Nat.succ_pos n) (And.intro h2 h3)
    · simp only [push, if_neg e]
      exact And.intro Nat.one_pos (And.intro e h)

theorem encode_run (x : Nat) (ys : List Nat) (h : push x (encode ys) = (x, 1) :: encode ys)
    (n : Nat) : encode (List.replicate (n + 1) x ++ ys) = (x, n + 1) :: encode ys := by
  induction n with
  | zero => exact h
  | succ n ih => rw [List.replicate_succ, List.cons_append, encode, ih, push, if_pos rfl]

theorem decode_encode (xs : List Nat) : decode (encode xs) = xs := by
  induction xs with
  | nil => rfl
  | cons x rest ih => rw [encode, decode_push, ih]

theorem encode_canonical (xs : List Nat) : Canonical (encode xs) := by
  induction xs with
  | nil => trivial
  | cons x rest ih => exact push_canonical x _ ih

theorem encode_decode (rs : List (Nat × Nat)) (h : Canonical rs) : encode (decode rs) = rs := by
  induction rs with
  | nil => rfl
  | cons r rest ih =>
    obtain ⟨x, n⟩ := r
    cases rest with
    | nil =>
      have hn : 0 < n := h
      obtain ⟨k, rfl⟩ : ∃ k, n = k + 1 := ⟨n - 1, by omega⟩
      exact encode_run x [] rfl k
    | cons s rest =>
      obtain ⟨y, m⟩ := s
      obtain ⟨hn, hne, hrest⟩ := h
      obtain ⟨k, rfl⟩ : ∃ k, n = k + 1 := ⟨n - 1, by omega⟩
      have e := ih hrest
      rw [decode, encode_run x _ (by rw [e, push, if_neg hne]) k, e]

end RleCanon
