def countdown (n : Nat) : List Nat :=
  if h : n = 0 then [] else n :: countdown (n / 2)

def front (xs : List Nat) (h : xs ≠ []) : { x : Nat // x ∈ xs } :=
  match xs with
  | x :: rest => ⟨(x :: rest).getLast (by simp), by simp⟩

theorem countdown_zero : countdown 0 = [] := by rw [countdown]; simp

theorem front_mem (xs : List Nat) (h : xs ≠ []) : (front xs h).val ∈ xs := (front xs h).property
