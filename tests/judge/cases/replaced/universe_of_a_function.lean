universe u

/-- Those that a test lets through. -/
def Space.keep {α : Type u} (p : α → Bool) : List α → List α
  | [] => []
  | x :: xs => if p x then x :: keep p xs else keep p xs

open Space

theorem Space.keep_nil {α : Type} (p : α → Bool) : keep p [] = [] := rfl

theorem Space.keep_length {α : Type} (p : α → Bool) (xs : List α) :
    (keep p xs).length ≤ xs.length := by
  induction xs with
  | nil => simp [keep]
  | cons x xs ih =>
    simp only [keep]
    split <;> simp <;> omega
