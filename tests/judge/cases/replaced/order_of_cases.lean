def swap {α : Type} : List α → List α
  | xs => xs

theorem swap_swap {α : Type} (xs : List α) : swap (swap xs) = xs := rfl
