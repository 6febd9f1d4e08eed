theorem list_all_any_duality {α : Type} (p : α → Bool) (xs : List α) :
    (!xs.all p) = xs.any (fun x => !p x) := by
  induction xs with
  | nil => rfl
  | cons x xs ih => simp [ih]
