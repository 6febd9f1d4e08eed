namespace Space

section
variable {α : Type} (p : α → Bool)

/-- Those that a test lets through. -/
def keep : List α → List α
  | [] => []
  | x :: xs => if p x then x :: keep xs else keep xs

theorem keep_nil : keep p [] = [] := rfl
end
end Space

theorem «Space.keep_length» {α : Type} (p : α → Bool) (xs : List α) :
    (Space.keep p xs).length ≤ xs.length := by
  induction xs with
  | nil => simp [Space.keep]
  | cons x xs ih =>
    simp only [Space.keep]
    split <;> simp <;> omega
