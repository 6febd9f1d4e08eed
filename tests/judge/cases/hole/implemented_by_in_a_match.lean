def evil (_ : Nat) : Nat := 0
@[implemented_by evil] def quo (n : Nat) : Nat := n / 2
def table : List (Nat → Nat) := [id, fun n => [n].foldl (fun _ k => quo k) 0]
def half (n : Nat) : Nat := match table with
  | [_, f] => f n
  | _ => 0
theorem half_spec (n : Nat) : 2 * half n = n ∨ 2 * half n + 1 = n := by
  show 2 * (n / 2) = n ∨ 2 * (n / 2) + 1 = n
  omega
