def countdown (n : Nat) : List Nat :=
  if h : n = 0 then [] else n :: countdown (n / 2)
termination_by n
decreasing_by
  have : n / 2 < n := Nat.div_lt_self (Nat.pos_of_ne_zero h) (by decide)
  exact this

def front (xs : List Nat) (h : xs ≠ []) : { x : Nat // x ∈ xs } :=
  match xs with
  | x :: _ => ⟨x, List.mem_cons_self⟩

theorem countdown_zero : countdown 0 = [] := by rw [countdown]; simp

theorem front_mem (xs : List Nat) (h : xs ≠ []) : (front xs h).val ∈ xs := (front xs h).property
