def swap {α : Type} : List α → List α
  | x :: y :: rest => y :: x :: rest
  | xs => xs

theorem swap_swap {α : Type} (xs : List α) : swap (swap xs) = xs := by
  match xs with
  | [] => rfl
  | [x] => rfl
  | x :: y :: rest => rfl
