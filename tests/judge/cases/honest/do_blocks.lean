def noise (xs : List Nat) : Nat := Id.run do
  let mut k := 1
  for x in xs do
    k := k * x
  return k

def total (xs : List Nat) : Nat := Id.run do
  let mut sum := 0
  for x in xs do
    sum := sum + x
  return sum

def safeDiv (a b : Nat) : Except String Nat := do
  if b = 0 then throw "division by zero"
  return a / b

theorem total_nil : total [] = 0 := rfl

theorem safeDiv_zero (a : Nat) : safeDiv a 0 = .error "division by zero" := rfl
