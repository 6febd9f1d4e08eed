def countdown (n : Nat) : List Nat :=
  if h : n = 0 then [] else n :: countdown (n / 2)
termination_by n
decreasing_by sorry

def front (xs : List Nat) (h : xs ≠ []) : { x : Nat // x ∈ xs } :=
  match xs with
  | x :: _ => ⟨x, by sorry⟩

theorem countdown_zero : countdown 0 = [] := sorry

theorem front_mem (xs : List Nat) (h : xs ≠ []) : (front xs h).val ∈ xs := sorry
