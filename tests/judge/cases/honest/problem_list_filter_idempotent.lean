namespace FilterIdem

def keep {α : Type} (p : α → Bool) : List α → List α
  | [] => []
  | x :: xs => if p x then x :: keep p xs else keep p xs

theorem keep_keep {α : Type} (p : α → Bool) (xs : List α) :
    keep p (keep p xs) = keep p xs := by
  induction xs with
  | nil => rfl
  | cons x xs ih =>
    simp only [keep]
    split
    · simp only [keep, ih]; simp [*]
    · exact ih

end FilterIdem
