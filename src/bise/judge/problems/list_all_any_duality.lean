theorem list_all_any_duality {α : Type} (p : α → Bool) (xs : List α) :
    (!xs.all p) = xs.any (fun x => !p x) := sorry
