/-- Something before, so that all lines move. -/
theorem before (n : Nat) : n + 0 = n := rfl

def third (xs : List Nat) : Nat :=
  match xs with
  | _ :: _ :: x :: _ => x
  | _ => panic! "too short"

theorem third_of (a b c : Nat) : third [a, b, c] = c := rfl
