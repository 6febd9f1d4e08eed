#guard (Digits.digits 0).head? = some 0
#guard (Digits.digits 7).head? = some 7
#guard (Digits.digits 10).take 2 = [0, 1]
#guard (Digits.digits 120).take 3 = [0, 2, 1]
#guard Digits.ofDigits (Digits.digits 905) = 905
#guard (Digits.digits 99).all (fun d => decide (d < 10))
