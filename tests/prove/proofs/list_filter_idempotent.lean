namespace FilterIdem

def keep {α : Type} (p : α → Bool) : List α → List α
  | [] => []
  | x :: xs => if p x then x :: keep p xs else keep p xs

theorem keep_keep {α : Type} (p : α → Bool) (xs : List α) :
    keep p (keep p xs) = keep p xs := by
  induction xs with
  | nil => rfl
  | cons x xs ih => by_cases h : p x = true <;> simp [keep, h, ih]

end FilterIdem
