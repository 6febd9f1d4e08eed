def countdown (n : Nat) : List Nat := go n n
where
  go (fuel n : Nat) : List Nat := match fuel with
    | 0 => []
    | k + 1 => if n = 0 then [] else n :: go k (n / 2)

def front (xs : List Nat) (h : xs ≠ []) : { x : Nat // x ∈ xs } :=
  match xs with
  | x :: _ => ⟨x, by simp⟩

theorem countdown_zero : countdown 0 = [] := rfl

theorem front_mem (xs : List Nat) (h : xs ≠ []) : (front xs h).val ∈ xs := (front xs h).property
