namespace Rle

def push {α : Type} [DecidableEq α] (x : α) : List (α × Nat) → List (α × Nat)
  | [] => [(x, 1)]
  | (y, n) :: rest => if x = y then (y, n + 1) :: rest else (x, 1) :: (y, n) :: rest

def encode {α : Type} [DecidableEq α] : List α → List (α × Nat)
  | [] => []
  | x :: xs => push x (encode xs)

def decode {α : Type} : List (α × Nat) → List α
  | [] => []
  | (x, n) :: rest => List.replicate n x ++ decode rest

theorem decode_push {α : Type} [DecidableEq α] (x : α) (rs : List (α × Nat)) :
    decode (push x rs) = x :: decode rs := by
  cases rs with
  | nil => simp [push, decode]
  | cons r rest =>
    obtain ⟨y, n⟩ := r
    by_cases h : x = y
    · subst h
      simp [push, decode, List.replicate_succ]
    · simp [push, h, decode]

theorem decode_encode {α : Type} [DecidableEq α] (xs : List α) : decode (encode xs) = xs := by
  induction xs with
  | nil => rfl
  | cons x xs ih => rw [encode, decode_push, ih]

end Rle
