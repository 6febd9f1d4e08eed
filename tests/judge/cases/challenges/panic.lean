def third (xs : List Nat) : Nat :=
  match xs with
  | _ :: _ :: x :: _ => x
  | _ => panic! "too short"

theorem third_of (a b c : Nat) : third [a, b, c] = c := sorry
